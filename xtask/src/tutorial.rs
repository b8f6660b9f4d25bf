//! That a program written for another message library's builders compiles against ours with nothing changed but its `use`:
//! each snippet of its tutorial, read from the reference material, is made a function, compiled, run, and what it builds is judged.

use std::fmt::Write as _;
use std::fs;

use crate::project::Project;
use crate::stages::Verdict;

/// What stands where the tutorial leaves a value to the reader.
const BLANK: &str = "/* ... */";

/// One block of code.
#[derive(Debug, PartialEq, Eq)]
struct Snippet {
    /// The line of the document that it begins on, from 1.
    line: usize,
    code: String,
}

/// The stage.
pub(crate) fn check(project: &Project) -> Verdict {
    let Some(folder) = project.references().map(|folder| folder.join("mission")).filter(|folder| folder.is_dir())
    else {
        return Verdict::Missing("the mission documents of the reference material".to_owned());
    };
    match write(project, &folder) {
        Ok(snippets) => {
            println!("{snippets} snippets");
            let mut command = project.cargo();
            command.args(["run", "--quiet", "--offline", "--manifest-path"]).arg(home(project).join("Cargo.toml"));
            command.env("CARGO_TARGET_DIR", project.target());
            crate::stages::finish(command)
        }
        Err(fault) => Verdict::Bad(vec![fault]),
    }
}

fn home(project: &Project) -> std::path::PathBuf {
    project.target().join("tutorial")
}

/// Writes the program, and says how many snippets are in it.
fn write(project: &Project, folder: &std::path::Path) -> Result<usize, String> {
    let fault = |error: std::io::Error| error.to_string();
    let mut files: Vec<_> = fs::read_dir(folder).map_err(fault)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut snippets = Vec::new();
    for file in files {
        snippets.extend(extract(&String::from_utf8_lossy(&fs::read(&file).map_err(fault)?)));
    }
    let built: usize = snippets.iter().map(|snippet| results(&snippet.code).count()).sum();
    if snippets.is_empty() || built < snippets.len() {
        return Err(format!(
            "{} snippets that build {built} responses: the tutorial is not what it was",
            snippets.len()
        ));
    }
    let home = home(project);
    fs::create_dir_all(home.join("src")).map_err(fault)?;
    let manifest = format!(
        "[package]\nname = \"tutorial\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nringback = {{ path = {:?} }}\n",
        project.path("crates/ringback")
    );
    fs::write(home.join("Cargo.toml"), manifest).map_err(fault)?;
    fs::copy(project.path("Cargo.lock"), home.join("Cargo.lock")).map_err(fault)?;
    fs::write(home.join("src/main.rs"), program(&snippets)).map_err(fault)?;
    Ok(snippets.len())
}

/// The blocks of Rust code of a document.
fn extract(document: &str) -> Vec<Snippet> {
    let mut snippets = Vec::new();
    let mut open: Option<Snippet> = None;
    for (index, line) in document.lines().enumerate() {
        match (&mut open, line.trim()) {
            (None, "```rust") => open = Some(Snippet { line: index + 2, code: String::new() }),
            (Some(_), "```") => snippets.extend(open.take()),
            (Some(snippet), _) => {
                snippet.code.push_str(line);
                snippet.code.push('\n');
            }
            (None, _) => {}
        }
    }
    snippets
}

/// The variables that hold what a builder made.
fn results(code: &str) -> impl Iterator<Item = &str> {
    let bound = code.lines().filter_map(|line| line.trim().strip_prefix("let ")?.split_once(" = "));
    bound.filter(|(_, value)| value.starts_with("ResponseBuilder::")).map(|(name, _)| name)
}

fn program(snippets: &[Snippet]) -> String {
    let mut text = String::from(PREAMBLE);
    for Snippet { line, code } in snippets {
        let code = code.replace(BLANK, "&incoming_request()");
        let _ = writeln!(text, "\nfn line_{line}() -> Result<(), Box<dyn std::error::Error>> {{\n{code}");
        for name in results(&code) {
            let _ = writeln!(text, "    judge({line}, {name:?}, {name})?;");
        }
        text.push_str("    Ok(())\n}\n");
    }
    text.push_str("\nfn main() -> Result<(), Box<dyn std::error::Error>> {\n");
    for Snippet { line, .. } in snippets {
        let _ = writeln!(text, "    line_{line}()?;");
    }
    text.push_str("    Ok(())\n}\n");
    text
}

const PREAMBLE: &str = r#"use ringback::prelude::*;

fn incoming_request() -> Request {
    RequestBuilder::new(Method::Invite, "sip:bob@biloxi.example.com")
        .via("pc33.atlanta.example.com", "UDP", Some("z9hG4bK776asdhds"))
        .from("Alice", "sip:alice@atlanta.example.com", Some("1928301774"))
        .to("Bob", "sip:bob@biloxi.example.com", None)
        .call_id("a84b4c76e66710")
        .cseq(314159, Method::Invite)
        .contact("sip:alice@pc33.atlanta.example.com", None)
        .build()
        .expect("a request")
}

/// What was built is read back as the same, each header field by its type.
fn judge(line: u32, name: &str, built: Result<Response, BuildError>) -> Result<(), Box<dyn std::error::Error>> {
    let response = built.map_err(|error| format!("line {line}: {name}: {error}"))?;
    let again = Response::parse(response.as_bytes())?;
    assert_eq!(again, response, "line {line}: {name}");
    for header in again.headers() {
        header.typed().map_err(|error| format!("line {line}: {name}: {error}"))?;
    }
    println!("-- line {line}: {name}\n{}", String::from_utf8_lossy(response.as_bytes()));
    Ok(())
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_what_they_build_are_found() {
        let document = "a\n```rust\nlet x = ResponseBuilder::new(1)\n    .build();\nlet y = 2;\n```\n```\nno\n```\n```rust\nlet z = /* ... */;\n```\n";
        let snippets = extract(document);
        assert_eq!(snippets.len(), 2);
        let first = snippets.first().map(|s| (s.line, results(&s.code).collect::<Vec<_>>()));
        assert_eq!(first, Some((3, vec!["x"])));
        let program = program(&snippets);
        assert!(program.contains("judge(3, \"x\", x)?;") && program.contains("let z = &incoming_request();"));
    }
}

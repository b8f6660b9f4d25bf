//! That reading takes time in proportion to what is read, whatever its shape: counted in instructions, which don't vary.
//!
//! `ringback-growth` of the crate `ringback-fuzz` makes hostile shapes in three sizes, each twice the one before; callgrind counts
//! what each entry point does with them. Where it takes much more than twice as much from the second to the third, it grows faster
//! than its input.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::project::Project;
use crate::stages::{Verdict, cargo_with};

/// From a size to twice the size. Linear work has 2, quadratic work tends to 4; allocators round.
const GROWTH_MAX: f64 = 2.3;
/// Work below so many instructions a byte is as good as none: there a page more of memory counts more than the shape.
const INSTRUCTIONS_A_BYTE_MIN: u64 = 16;
/// The function of the program that is counted.
const COUNTED: &str = "ringback_growth::measured";

/// One entry point with one shape.
#[derive(Debug, PartialEq)]
struct Row {
    entry: String,
    shape: String,
    /// The largest size.
    bytes: u64,
    /// Instructions at each size.
    counts: [u64; 3],
}

/// The stage.
pub(crate) fn check(project: &Project) -> Verdict {
    if !Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Verdict::Missing("valgrind (Debian: apt-get install valgrind)".to_owned());
    }
    match cargo_with(project, &[], &["build", "--release", "-p", "ringback-fuzz", "--bin", "ringback-growth"]) {
        Verdict::Good => {}
        other => return other,
    }
    match rows(project) {
        Ok(rows) => {
            print!("{}", table(&rows));
            Verdict::of(rows.iter().filter_map(complaint).collect())
        }
        Err(complaint) => Verdict::Bad(vec![format!("growth: {complaint}")]),
    }
}

fn rows(project: &Project) -> Result<Vec<Row>, String> {
    let program = project.target().join("release/ringback-growth");
    let (said, counts) = entries(&project.target().join("growth"), &program, &[], COUNTED)?;
    let names: Vec<Vec<&str>> = said.lines().map(|line| line.split('\t').collect()).collect();
    let mut rows = Vec::new();
    for (sizes, counts) in names.chunks(3).zip(counts.chunks(3)) {
        let fault = || format!("what the program printed: {sizes:?}");
        let Some([entry, shape, bytes]) = sizes.last().map(Vec::as_slice) else { return Err(fault()) };
        let bytes = bytes.parse().map_err(|_| fault())?;
        let counts = counts.try_into().map_err(|_| fault())?;
        rows.push(Row { entry: (*entry).to_owned(), shape: (*shape).to_owned(), bytes, counts });
    }
    if rows.is_empty() { Err("nothing was measured".to_owned()) } else { Ok(rows) }
}

/// Runs a program under callgrind that prints a line for each entry into the counted function: what it printed, and the
/// instructions of each entry. The folder is for the dumps.
pub(crate) fn entries(
    folder: &Path,
    program: &Path,
    arguments: &[&Path],
    counted: &str,
) -> Result<(String, Vec<u64>), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(fault)?;
    }
    fs::create_dir_all(folder).map_err(fault)?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--collect-atstart=no"]);
    // Callgrind dumps what it counted whenever the counted function is entered again, and at the end.
    valgrind.arg(format!("--toggle-collect={counted}")).arg(format!("--dump-before={counted}"));
    valgrind.arg(format!("--callgrind-out-file={}", folder.join("out").display()));
    let output = valgrind.arg(program).args(arguments).output().map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        return Err(format!("valgrind: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let many = said.lines().count();
    // The dump at the first entry is empty, so each measurement is in the one behind; the last has no number.
    let name = |dump: usize| if dump > many { "out".to_owned() } else { format!("out.{dump}") };
    let counts = (2..many + 2).map(|dump| total(&folder.join(name(dump)))).collect::<Result<_, _>>()?;
    Ok((said, counts))
}

fn total(dump: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(dump).map_err(|error| format!("{}: {error}", dump.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.ok_or_else(|| format!("{}: no totals", dump.display()))
}

impl Row {
    /// From the second size to the third.
    fn growth(&self) -> f64 {
        let [_, second, third] = self.counts;
        third as f64 / second.max(1) as f64
    }

    fn is_good(&self) -> bool {
        self.growth() <= GROWTH_MAX || self.counts[2] < INSTRUCTIONS_A_BYTE_MIN * self.bytes
    }
}

fn complaint(row: &Row) -> Option<String> {
    let Row { entry, shape, bytes, counts } = row;
    let growth = row.growth();
    (!row.is_good()).then(|| {
        format!(
            "growth: {entry}, {shape}: {growth:.2} times the work for {bytes} bytes as for half of them: {counts:?}"
        )
    })
}

/// One line for each entry point: its dearest shape, and that which grows most.
fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<18} {:>6}  {:<20} {:>10}  {:<20} {:>6}\n",
        "entry", "shapes", "dearest", "a byte", "grows most", "times"
    );
    for rows in rows.chunk_by(|one, other| one.entry == other.entry) {
        let of_size = |row: &&Row| row.counts[2] >= INSTRUCTIONS_A_BYTE_MIN * row.bytes;
        let dearest = rows.iter().max_by_key(|row| row.counts[2]);
        let most = rows.iter().filter(of_size).max_by(|one, other| one.growth().total_cmp(&other.growth()));
        let Some(dearest) = dearest else { continue };
        let (shape, times) =
            most.map_or(("-", String::new()), |row| (row.shape.as_str(), format!("{:.2}", row.growth())));
        let a_byte = dearest.counts[2] as f64 / dearest.bytes as f64;
        let (entry, count) = (&dearest.entry, rows.len());
        text.push_str(&format!(
            "{entry:<18} {count:>6}  {:<20} {a_byte:>10.1}  {shape:<20} {times:>6}\n",
            dearest.shape
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(counts: [u64; 3]) -> Row {
        Row { entry: "URI".to_owned(), shape: "commas".to_owned(), bytes: 8_192, counts }
    }

    #[test]
    fn what_grows_with_its_square_is_told() {
        assert_eq!(complaint(&row([100_000, 200_000, 400_000])), None);
        assert_eq!(complaint(&row([10, 20, 80_000])), None);
        let told = complaint(&row([100_000, 400_000, 1_600_000])).unwrap_or_default();
        assert!(told.starts_with("growth: URI, commas: 4.00 times"), "{told}");
    }

    #[test]
    fn a_line_tells_of_each_entry() {
        let text = table(&[row([1, 1, 1]), row([100_000, 200_000, 409_600])]);
        assert_eq!(text.lines().count(), 2);
        assert!(text.ends_with("commas                     50.0  commas                 2.05\n"), "{text}");
    }
}

//! `ringback user`.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use ringback_server::{
    AccountStore, AccountsError, AccountsSource, Domain, ExitStatus, PASSWORD_BYTES_MAX, Password, Settings, UserName,
    check_password, file_users, forget_bindings, make_data_folder, parse_import,
};

use crate::args::{DataArgs, PasswordArgs, RealmArgs, UserArgs, UserCommand};
use crate::failure::Failure;

/// Does it and says so.
///
/// # Errors
/// Where nothing was changed.
pub(crate) fn run(args: UserArgs) -> Result<(), Failure> {
    match args.command {
        UserCommand::Add { name, password, realm, data } => {
            can_ask(password)?;
            let store = open(data, &realm)?;
            if has(&store, &name)? {
                return Err(AccountsError::Exists(name).into());
            }
            store.add(&[(name.clone(), ask(&name, password)?)])?;
            say(&format!("user {name} added, realm {}", store.realm()))
        }
        UserCommand::Import { file, realm, data } => {
            let users = parse_import(&read(&file)?)
                .map_err(|error| Failure::refused(format!("{}: {error}", file.display())))?;
            let store = open(data, &realm)?;
            store.add(&users)?;
            say(&format!("{} users added, realm {}", users.len(), store.realm()))
        }
        UserCommand::List { data } => {
            let settings = data.configured()?.settings;
            let names = match file_users(&settings)? {
                Some(users) => users.names,
                None => AccountStore::open_existing(&settings.data)?.names()?,
            };
            names.iter().try_for_each(|name| say(name))
        }
        UserCommand::Passwd { name, password, data } => {
            can_ask(password)?;
            let settings = of_database(data)?;
            let store = AccountStore::open_existing(&settings.data)?;
            if !has(&store, &name)? {
                return Err(AccountsError::NoSuchUser(name).into());
            }
            store.set_password(&name, &ask(&name, password)?)?;
            forget_bindings(&settings.data, &name)?;
            say(&format!("user {name} has another password"))
        }
        UserCommand::Redirect { name, redirect, data } => {
            AccountStore::open_existing(&of_database(data)?.data)?.set_redirect(&name, redirect)?;
            let done = if redirect { "answered for with 302" } else { "called as the others are" };
            say(&format!("user {name} is {done}"))
        }
        UserCommand::Remove { name, data } => {
            let settings = of_database(data)?;
            AccountStore::open_existing(&settings.data)?.remove(&name)?;
            forget_bindings(&settings.data, &name)?;
            say(&format!("user {name} removed"))
        }
    }
}

fn open(data: DataArgs, realm: &RealmArgs) -> Result<AccountStore, Failure> {
    let settings = of_database(data)?;
    make_data_folder(&settings.data).map_err(|error| Failure::new(ExitStatus::Data, error))?;
    let flag = realm.domain.as_ref().map(Domain::as_str);
    let store = AccountStore::open(&settings.data, flag.unwrap_or(settings.realm_if_new()))?;
    match flag.or(settings.realm.as_deref()) {
        Some(wanted) if wanted != store.realm() => Err(Failure::refused(format!(
            "the realm of these accounts is {} and stays so, because the stored hashes hold it",
            store.realm()
        ))),
        _ => Ok(store),
    }
}

/// The settings of a server whose accounts can be changed here.
fn of_database(data: DataArgs) -> Result<Settings, Failure> {
    let settings = data.configured()?.settings;
    match &settings.accounts {
        AccountsSource::File(file) => {
            Err(Failure::refused(format!("the accounts of this server are in {}: change them there", file.display())))
        }
        _ => Ok(settings),
    }
}

/// Asked before anybody types a password in vain.
fn has(store: &AccountStore, name: &UserName) -> Result<bool, Failure> {
    Ok(store.names()?.iter().any(|known| **known == *name.as_str()))
}

/// Told before anything is made or changed.
fn can_ask(args: PasswordArgs) -> Result<(), Failure> {
    if args.password_stdin || io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::new(ExitStatus::Usage, "there is no terminal to ask for the password; give it with --password-stdin"))
}

/// The password, from the first line of standard input, or typed twice.
fn ask(name: &UserName, args: PasswordArgs) -> Result<Password, Failure> {
    let text = if args.password_stdin {
        let mut line = String::new();
        // Longer than a password may be, and no longer than that.
        let limit = u64::try_from(PASSWORD_BYTES_MAX.saturating_add(3)).unwrap_or(u64::MAX);
        io::stdin()
            .lock()
            .take(limit)
            .read_line(&mut line)
            .map_err(|error| Failure::refused(format!("standard input: {error}")))?;
        let line = line.strip_suffix('\n').unwrap_or(&line);
        line.strip_suffix('\r').unwrap_or(line).to_owned()
    } else {
        let prompt = |text: String| {
            rpassword::prompt_password(text).map_err(|error| Failure::refused(format!("the terminal: {error}")))
        };
        let first = prompt(format!("Password for {name}: "))?;
        if first != prompt("Once more: ".to_owned())? {
            return Err(Failure::refused("the passwords differ; nothing was changed"));
        }
        first
    };
    check_password(&text).map_err(Failure::refused)
}

fn read(file: &Path) -> Result<String, Failure> {
    let text = if file == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(file) };
    text.map_err(|error| Failure::refused(format!("{}: {error}", file.display())))
}

/// A line on standard output; that nobody reads it is no failure.
fn say(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(ExitStatus::Internal, format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

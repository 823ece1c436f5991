//! `sign-in`, `sign-out`, `whoami` and `accounts`: sessions at a PBX.

use std::io::BufRead;
use std::time::Duration;

use phone::{
    AccountId, AccountState, Code, Command, Config, Event, Phone, Problem, SavedAccount, SessionState,
    Settings, SignInPage, Start,
};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::args;
use crate::calls::{fail, next};
use crate::exit::Exit;
use crate::output::Output;

/// How long a session that is taken up may need to be told apart from one that has ended.
const LOOK: Duration = Duration::from_secs(20);

/// Signs in with what the command line brings; done when the session stands.
pub async fn sign_in(mut config: Config, output: &Output, args: &args::SignIn) -> Exit {
    let password = match line() {
        Ok(password) => password,
        Err(problem) => return fail(output, &problem),
    };
    if let Err(problem) = trust(&mut config, args.ca.as_ref()) {
        return fail(output, &problem);
    }
    with_phone(config, output, async |phone, events| {
        phone.send(Command::FindServer { domain: args.domain.clone(), server: args.server.clone() });
        walk(phone, events, output, args, password).await
    })
    .await
}

/// Goes through the wizard's pages.
async fn walk(
    phone: &Phone,
    events: &mut Receiver<Event>,
    output: &Output,
    args: &args::SignIn,
    password: SecretString,
) -> Result<Exit, Problem> {
    let mut password = Some(password);
    let mut code_wanted = args.otp_stdin;
    while let Some(event) = next(events).await {
        match event {
            Event::SignIn { view } if view.busy => {}
            Event::SignIn { view } => {
                if let Some(problem) = view.problem {
                    return Err(problem);
                }
                match view.page {
                    SignInPage::User => {
                        if let Some(password) = password.take() {
                            phone.send(Command::SignIn { username: args.username.clone(), password });
                        }
                    }
                    // The code is read only when the PBX has sent it: whoever types it must see it first.
                    SignInPage::Code if view.code.as_ref().is_some_and(|code| code.sent) => {
                        if !std::mem::take(&mut code_wanted) {
                            return Err(Code::SecondFactorNeeded.into());
                        }
                        let code = tokio::task::spawn_blocking(line).await;
                        phone.send(Command::GiveCode { code: code.map_err(|_| Code::Internal)?? });
                    }
                    SignInPage::NewPassword => return Err(Code::PasswordChangeNeeded.into()),
                    _ => {}
                }
            }
            Event::Notice { problem, .. } => return Err(problem),
            Event::Account { view } => {
                let missing = match view.state {
                    AccountState::Offline { problem, .. } if problem.code != Code::SipPasswordNeeded => {
                        return Err(problem);
                    }
                    _ if view.session == SessionState::Opening => continue,
                    ref state => matches!(state, AccountState::Offline { .. }),
                };
                if missing && let Some(password) = crate::sip_password() {
                    phone.send(Command::GiveSipPassword { password });
                    continue;
                }
                output.signed_in(&view, missing);
                return Ok(Exit::Done);
            }
            _ => {}
        }
    }
    Err(Code::Internal.into())
}

/// Ends a session, at the PBX and in the keychain.
pub async fn sign_out(mut config: Config, output: &Output, args: &args::Which) -> Exit {
    let account = match take_up(&mut config, args) {
        Ok(account) => account,
        Err(problem) => return fail(output, &problem),
    };
    with_phone(config, output, async |phone, events| {
        phone.send(Command::SignOut { account: account.clone() });
        let mut kept = None;
        while let Some(event) = next(events).await {
            match event {
                Event::AccountGone { .. } => {
                    output.signed_out(&account.0);
                    return kept.map_or(Ok(Exit::Done), Err);
                }
                Event::Notice { problem, .. } => kept = Some(problem),
                _ => {}
            }
        }
        Err(Code::Internal.into())
    })
    .await
}

/// Says who is signed in, and whether the session still stands.
pub async fn whoami(mut config: Config, output: &Output, args: &args::Which) -> Exit {
    if let Err(problem) = take_up(&mut config, args) {
        return fail(output, &problem);
    }
    with_phone(config, output, async |_, events| {
        let looking = async {
            while let Some(event) = next(events).await {
                let Event::Account { view } = event else { continue };
                match view.session {
                    SessionState::Opening => {}
                    SessionState::Expired => return Err(Code::SessionExpired.into()),
                    SessionState::Unconfirmed { problem } => return Err(problem),
                    SessionState::Open | SessionState::None => {
                        let line = format!("{} ({}, extension {})", view.id, view.display_name, view.extension);
                        output.account(
                            &json!({
                                "account": view.id, "display_name": view.display_name, "extension": view.extension,
                                "domain": view.domain, "server": view.server,
                            }),
                            &line,
                        );
                        return Ok(Exit::Done);
                    }
                }
            }
            Err(Code::Internal.into())
        };
        tokio::time::timeout(LOOK, looking).await.unwrap_or(Err(Code::ServerSilent.into()))
    })
    .await
}

/// Lists the accounts signed in to.
pub fn accounts(config: &Config, output: &Output) -> Exit {
    match saved(config) {
        Ok(accounts) => {
            for account in accounts {
                let line = format!("{} ({}, {})", account.id, account.display_name, account.server);
                output.account(
                    &json!({
                        "account": account.id, "display_name": account.display_name,
                        "extension": account.extension, "domain": account.domain, "server": account.server,
                    }),
                    &line,
                );
            }
            Exit::Done
        }
        Err(problem) => fail(output, &problem),
    }
}

/// The account meant: the one named, or the only one there is.
///
/// # Errors
/// There is none, or more than one and none named.
pub fn known(config: &Config, named: Option<&str>) -> Result<AccountId, Problem> {
    let accounts = saved(config)?;
    let found = match named {
        Some(name) => accounts.into_iter().find(|a| a.id.0 == name),
        None => match accounts.len() {
            0 | 1 => accounts.into_iter().next(),
            _ => return Err(Problem::new(Code::NoAccount, "several accounts: name one with --account")),
        },
    };
    let missing = || Problem::new(Code::NoAccount, named.unwrap_or("nobody is signed in").to_owned());
    found.map(|account| account.id).ok_or_else(missing)
}

/// Trusts certificates beside the system's.
///
/// # Errors
/// None of them can be used.
pub fn trust(config: &mut Config, certificates: Option<&args::Certificates>) -> Result<(), Problem> {
    certificates.map_or(Ok(()), |certificates| config.trust(&certificates.0))
}

fn take_up(config: &mut Config, which: &args::Which) -> Result<AccountId, Problem> {
    trust(config, which.ca.as_ref())?;
    let account = known(config, which.account.as_deref())?;
    config.start = Start::One(account.clone());
    Ok(account)
}

fn saved(config: &Config) -> Result<Vec<SavedAccount>, Problem> {
    Settings::load(&config.data_dir)
        .map(|settings| settings.accounts)
        .map_err(|error| Problem::new(Code::SettingsFailed, error.to_string()))
}

/// A secret from standard input, up to the end of its line.
fn line() -> Result<SecretString, Problem> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Problem::new(Code::WrongCredentials, format!("standard input: {error}")))?;
    let secret = SecretString::from(line.trim_end_matches(['\r', '\n']));
    use secrecy::zeroize::Zeroize;
    line.zeroize();
    Ok(secret)
}

/// Runs something with a phone and stops it whatever came of it.
async fn with_phone(
    config: Config,
    output: &Output,
    work: impl AsyncFnOnce(&Phone, &mut Receiver<Event>) -> Result<Exit, Problem>,
) -> Exit {
    let phone = match Phone::start(config) {
        Ok(phone) => phone,
        Err(problem) => return fail(output, &problem),
    };
    let mut events = phone.subscribe();
    let exit = match work(&phone, &mut events).await {
        Ok(exit) => exit,
        Err(problem) => fail(output, &problem),
    };
    phone.stop().await;
    exit
}

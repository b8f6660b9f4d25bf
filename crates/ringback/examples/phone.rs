//! A telephone that does what it is told by lines of its standard input, and says what happens, one line each.
//!
//!     cargo run -p ringback --example phone -- 127.0.0.1:5070 sip:alice@biloxi.example.com [PASSWORD]
//!
//! | line | does |
//! |---|---|
//! | `register` `udp`\|`tcp` | registers at the host of its own address, to be called by this transport; again, it registers anew |
//! | `register` URI | the same at this registrar, such as `sip:127.0.0.1:8080;transport=ws` |
//! | `call` URI, `answer`, `hangup` | what they say; `hangup` also refuses what rings, and gives up what is not answered |
//! | `auto` | answers all calls from now on |
//! | `hold`, `resume`, `transfer` URI | the same with the latest call |
//! | `message` URI TEXT | sends a text |
//! | `sessions` | says how many there are |
//! | `help` | lists these lines |
//! | `quit` | hangs up, takes the registration back, and ends |

use std::error::Error;
use std::future::IntoFuture as _;
use std::io::BufRead as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringback::agent::{
    Agent, AgentHandle, Call, CallEvent, CallFailed, Incoming, IncomingCall, IncomingRefer, Registered,
};
use ringback::auth::{Account, Password};
use ringback::base::Transport;
use ringback::prelude::*;
use ringback::ua::{CommandError, ReferTold, RegistrationEvent};
use tokio::sync::{mpsc, oneshot};

const HELP: &str = "\
register udp|tcp      registers at the host of its own address, or registers anew
register URI          registers there, such as sip:127.0.0.1:8080;transport=ws
call URI              calls
answer, hangup        takes what rings; ends a call, refuses what rings, gives up what is not answered
auto                  answers all calls from now on
hold, resume          the latest call
transfer URI          sends the other side of the latest call there
message URI TEXT      sends a text
sessions              how many there are
quit                  hangs up, takes the registration back, and ends";

type Anything = Result<(), Box<dyn Error + Send + Sync>>;

/// What its user wants of a call.
#[derive(Debug)]
enum Wish {
    Hold,
    Resume,
    Transfer(String),
    HangUp,
}

/// The calls that stand, the latest last: each hears wishes.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<mpsc::Sender<Wish>>>>);

impl Calls {
    fn add(&self) -> mpsc::Receiver<Wish> {
        let (wishes, heard) = mpsc::channel(4);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(wishes);
        heard
    }

    /// The wish goes to the latest call; false where there is none.
    fn tell(&self, wish: Wish) -> bool {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|call| !call.is_closed());
        calls.last().is_some_and(|call| call.try_send(wish).is_ok())
    }
}

struct Phone {
    agent: AgentHandle,
    calls: Calls,
    ringing: Option<IncomingCall>,
    /// Gives up the call that is not answered.
    calling: Option<oneshot::Sender<()>>,
    registered: Option<Registered>,
    answers: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:5060".into());
    let identity = arguments.next().unwrap_or("sip:alice@biloxi.example.com".into());
    let codecs = LocalMedia::audio(4000).codec(Codec::pcma()).codec(Codec::pcmu());
    let sound = codecs.codec(Codec::telephone_event(8_000));
    let mut builder = Agent::builder().identity(&identity).media(sound);
    if let Some(password) = arguments.next() {
        builder = builder.account(account(&identity, &password)?);
    }
    let mut agent = builder.bind(address).await?;
    println!("ready at {}", agent.address());
    println!("help lists what can be typed");
    let mut phone = Phone {
        agent: agent.handle(),
        calls: Calls::default(),
        ringing: None,
        calling: None,
        registered: None,
        answers: false,
    };
    let mut lines = lines();
    loop {
        tokio::select! {
            line = lines.recv() => match line.as_deref() {
                None | Some("quit") => return phone.quit().await,
                Some(line) => {
                    if let Err(error) = phone.obey(line).await {
                        println!("failed: {line}: {error}");
                    }
                }
            },
            incoming = agent.incoming() => match incoming {
                Some(incoming) => phone.take(incoming).await,
                None => return Ok(()),
            },
            () = given_up(&mut phone.ringing) => {
                phone.ringing = None;
                println!("given up");
            }
        }
    }
}

/// For whoever asks at the host of our own address.
fn account(identity: &str, password: &str) -> Result<Account, Box<dyn Error>> {
    let address = Uri::parse(identity.as_bytes(), HeaderId::From, 0)?;
    let address = address.as_sip().ok_or("a SIP URI is wanted")?;
    let user = String::from_utf8_lossy(address.user.unwrap_or_default());
    Ok(Account::for_any_realm(&*user, Password::new(password)).at(&*String::from_utf8_lossy(address.host)))
}

/// What is typed.
fn lines() -> mpsc::Receiver<String> {
    let (typed, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if typed.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

async fn given_up(ringing: &mut Option<IncomingCall>) {
    match ringing {
        Some(call) => _ = call.cancelled().await,
        None => std::future::pending().await,
    }
}

impl Phone {
    async fn obey(&mut self, line: &str) -> Anything {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let told = match verb {
            "hold" => self.calls.tell(Wish::Hold),
            "resume" => self.calls.tell(Wish::Resume),
            "transfer" if rest.is_empty() => return Err("transfer URI".into()),
            "transfer" => self.calls.tell(Wish::Transfer(rest.into())),
            "hangup" => self.hang_up().await?,
            "auto" => {
                self.answers = true;
                true
            }
            "help" => {
                println!("{HELP}");
                true
            }
            "answer" => match self.ringing.take() {
                Some(call) => talk(call.answer().await?, &self.calls),
                None => false,
            },
            "call" if rest.is_empty() => return Err("call URI".into()),
            "call" => {
                let (agent, calls, to) = (self.agent.clone(), self.calls.clone(), rest.to_owned());
                let (give_up, given_up) = oneshot::channel();
                self.calling = Some(give_up);
                tokio::spawn(async move { call(&agent, &calls, &to, given_up).await });
                true
            }
            "register" => {
                let register = self.agent.register();
                let register = match rest {
                    "tcp" => register.transport(Transport::Tcp),
                    "" | "udp" => register,
                    uri => register.at(uri),
                };
                match &mut self.registered {
                    Some(registered) => again(registered).await?,
                    None => self.registered = Some(register.await?),
                }
                println!("registered");
                true
            }
            "message" => {
                let (to, text) = rest.split_once(' ').ok_or("message URI TEXT")?;
                let (agent, to, text) = (self.agent.clone(), to.to_owned(), text.to_owned());
                tokio::spawn(async move {
                    match agent.message(&to, &text).await {
                        Ok(response) => println!("message: {}", response.status().as_u16()),
                        Err(error) => println!("failed: {error}"),
                    }
                });
                true
            }
            "sessions" => {
                println!("sessions: {}", self.sessions().await?);
                true
            }
            _ => return Err("no such line; help lists them".into()),
        };
        if told { Ok(()) } else { Err("there is no call".into()) }
    }

    async fn hang_up(&mut self) -> Result<bool, CommandError> {
        if self.calling.take().is_some_and(|give_up| give_up.send(()).is_ok()) {
            return Ok(true);
        }
        match self.ringing.take() {
            Some(call) => call.reject(StatusCode::BusyHere).await.map(|()| true),
            None => Ok(self.calls.tell(Wish::HangUp)),
        }
    }

    async fn take(&mut self, incoming: Incoming) {
        let taken = match incoming {
            Incoming::Call(call) if self.answers => call.answer().await.map(|call| _ = talk(call, &self.calls)),
            Incoming::Call(call) if self.ringing.is_some() => call.reject(StatusCode::BusyHere).await,
            Incoming::Call(call) => {
                println!("rings: {}", from(call.request()));
                let ringing = call.ring().await;
                self.ringing = Some(call);
                ringing
            }
            Incoming::Request(request) if request.method() == Method::Message => {
                println!(
                    "text by {} from {}: {}",
                    transport(request.request()),
                    from(request.request()),
                    request.text()
                );
                request.respond(StatusCode::Ok).await
            }
            Incoming::Request(request) => request.respond(StatusCode::NotImplemented).await,
            // What is dropped is answered with 500.
            _ => Ok(()),
        };
        if let Err(error) = taken {
            println!("failed: {error}");
        }
    }

    /// Those that ring are among them.
    async fn sessions(&self) -> Result<usize, CommandError> {
        self.agent.core().with(|agent, _| Ok(agent.session_len())).await
    }

    async fn quit(mut self) -> Result<(), Box<dyn Error>> {
        while self.hang_up().await? {}
        for _ in 0..40 {
            if self.sessions().await? == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        if self.registered.take().is_some() {
            // It is taken back beside us, and without an agent it would not be.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }
}

/// Registers once more, before it is due.
async fn again(registered: &mut Registered) -> Anything {
    registered.refresh().await?;
    match registered.event().await.ok_or("the agent has ended")?.event {
        RegistrationEvent::Registered { .. } => Ok(()),
        event => Err(format!("{event:?}").into()),
    }
}

/// Calls, and talks where it is answered before it is given up; tells how it went.
async fn call(agent: &AgentHandle, calls: &Calls, to: &str, mut given_up: oneshot::Receiver<()>) {
    let invite = agent.invite(to).progress(|response| println!("progress: {}", response.status().as_u16()));
    // Dropping the future of an INVITE cancels it, and dropping a call that won the race hangs up.
    let called = tokio::select! {
        called = invite.into_future() => Some(called),
        Ok(()) = &mut given_up => None,
    };
    given_up.close();
    match called.filter(|_| given_up.try_recv().is_err()) {
        Some(outcome) => begin(outcome, calls),
        None => println!("gave up"),
    }
}

/// What became of a call of ours.
fn begin(outcome: Result<Call, CallFailed>, calls: &Calls) {
    match outcome {
        Ok(call) => _ = talk(call, calls),
        Err(failed) => println!("not answered: {failed}"),
    }
}

/// A call that stands has a task of its own.
fn talk(call: Call, calls: &Calls) -> bool {
    let (wishes, calls) = (calls.add(), calls.clone());
    println!("talks: {}", call.call_id());
    tokio::spawn(async move {
        if let Err(error) = talking(call, wishes, calls).await {
            println!("failed: {error}");
        }
    });
    true
}

async fn talking(mut call: Call, mut wishes: mpsc::Receiver<Wish>, calls: Calls) -> Result<(), CommandError> {
    loop {
        let done = tokio::select! {
            event = call.event() => match event {
                None => return Ok(()),
                Some(CallEvent::Ended(reason)) => {
                    let reason = format!("{reason:?}");
                    println!("ended: {}", reason.split(['(', ' ']).next().unwrap_or_default());
                    return Ok(());
                }
                Some(event) => happened(&call, event, &calls).await,
            },
            wish = wishes.recv() => match wish {
                None | Some(Wish::HangUp) => {
                    call.hang_up().await?;
                    println!("hung up");
                    return Ok(());
                }
                Some(wish) => change(&call, wish).await,
            },
        };
        if let Err(error) = done {
            println!("failed: {error}");
        }
    }
}

async fn happened(call: &Call, event: CallEvent, calls: &Calls) -> Anything {
    match event {
        CallEvent::Confirmed => println!("confirmed"),
        CallEvent::Agreed => println!("agreed: {}", directions(call).await?),
        CallEvent::Offered(offer) => offer.refuse().await?,
        CallEvent::Request(request) => request.respond(StatusCode::NotImplemented).await?,
        CallEvent::Refer(refer) => {
            println!("is sent to: {}", refer.referral().uri);
            tokio::spawn(follow(refer, calls.clone()));
        }
        _ => {}
    }
    Ok(())
}

async fn change(call: &Call, wish: Wish) -> Anything {
    match wish {
        Wish::Hold => {
            call.hold().await?;
            println!("holds: {}", directions(call).await?);
        }
        Wish::Resume => {
            call.resume().await?;
            println!("resumed: {}", directions(call).await?);
        }
        Wish::Transfer(to) => {
            let mut transfer = call.transfer(&to).await?;
            tokio::spawn(async move {
                while let Some(told) = transfer.event().await {
                    transferred(&told);
                }
            });
        }
        Wish::HangUp => {}
    }
    Ok(())
}

/// Which ways the streams go, as we see it.
async fn directions(call: &Call) -> Result<String, CommandError> {
    let streams = call.streams().await?;
    Ok(streams.iter().map(|stream| stream.direction.to_string()).collect::<Vec<_>>().join(" "))
}

/// Calls whom they send us to; how that goes is told to them. `[RFC 3515, Section 2.4.4]`
async fn follow(refer: IncomingRefer, calls: Calls) {
    match refer.follow().await {
        Ok(calling) => {
            let outcome = calling.answered().await;
            let status = outcome.as_ref().map_or_else(CallFailed::status, |_| Some(StatusCode::Ok));
            println!("told: {}", status.map_or(0, StatusCode::as_u16));
            begin(outcome, &calls);
        }
        Err(error) => println!("failed: {error}"),
    }
}

/// How it goes with a transfer of ours.
fn transferred(told: &ReferTold) {
    match told {
        ReferTold::Answered(outcome) => println!("transfer: {outcome:?}"),
        ReferTold::Progress(progress) => {
            println!("transfer: {}", progress.status.map_or(0, StatusCode::as_u16));
        }
        ReferTold::Over(_) => println!("transfer: over"),
    }
}

fn from(request: &Request) -> String {
    request.first(HeaderId::From).map(|line| String::from_utf8_lossy(line.value()).into_owned()).unwrap_or_default()
}

/// By which transport it came.
fn transport(request: &Request) -> String {
    String::from_utf8_lossy(request.top_via().transport).into_owned()
}

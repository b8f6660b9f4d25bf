//! Takes the calls and texts of those who know a password: whoever does not show that is challenged by 401.
//! `[RFC 3261, Section 22.2]`
//!
//!     cargo run -p ringback --example doorkeeper -- 127.0.0.1:5070 alice wonderland biloxi.example.com

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use ringback::agent::{Agent, CommandError, IncomingCall, IncomingRequest, Router};
use ringback::auth::{AuthConfig, Authenticator, Begin, Ha1Set, NonceSecret, Password, Verdict};
use ringback::prelude::*;
use ringback::system::{self, Clock};

/// Who is let in.
struct Door {
    authenticator: Mutex<Authenticator>,
    user: String,
    password: Ha1Set,
    clock: Clock,
}

/// What others get: a status, and challenges for it.
type Refused = (StatusCode, Vec<String>);

impl Door {
    fn new(user: String, password: &str, realm: &str) -> Result<Door, Box<dyn Error>> {
        let mut random = system::random()?;
        let secret = NonceSecret::random(&mut random);
        let authenticator = Authenticator::new(AuthConfig::new(realm), &secret, 0, &mut random)?;
        let password = Ha1Set::of(&user, realm, &Password::new(password));
        Ok(Door { authenticator: Mutex::new(authenticator), user, password, clock: Clock::start() })
    }

    fn look_at(&self, request: &Request) -> Result<(), Refused> {
        let mut authenticator = self.authenticator.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let is_stale = match authenticator.begin(request, HeaderId::Authorization, now) {
            Begin::Malformed(defect) => return Err((defect.status(), Vec::new())),
            Begin::NoCredentials => false,
            Begin::Claim(claim) => {
                let known = claim.user() == self.user;
                let hash = if known { self.password.find(claim.algorithm()) } else { None };
                match authenticator.finish(claim, hash, now) {
                    Verdict::Verified(proof) => {
                        println!("{} of {} by {}", request.method(), proof.user(), proof.algorithm());
                        return Ok(());
                    }
                    Verdict::Stale(_) => true,
                    Verdict::Wrong => return Err((StatusCode::Forbidden, Vec::new())),
                }
            }
        };
        println!("{} is challenged", request.method());
        Err((StatusCode::Unauthorized, authenticator.challenge(is_stale, now)))
    }
}

fn challenged<'a>(response: ResponseBuilder<'a>, challenges: &[String]) -> ResponseBuilder<'a> {
    challenges.iter().fold(response, |response, challenge| response.raw(HeaderId::WwwAuthenticate, challenge))
}

async fn call(door: Arc<Door>, call: IncomingCall) -> Result<(), CommandError> {
    match door.look_at(call.request()) {
        Ok(()) => call.answer().await?.ended().await.map(drop),
        Err((status, challenges)) => call.reject_with(status, move |response| challenged(response, &challenges)).await,
    }
}

async fn text(door: Arc<Door>, text: IncomingRequest) -> Result<(), CommandError> {
    match door.look_at(text.request()) {
        Ok(()) => {
            println!("text: {}", text.text());
            text.respond(StatusCode::Ok).await
        }
        Err((status, challenges)) => text.respond_with(status, move |response| challenged(response, &challenges)).await,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:5060".into());
    let user = arguments.next().unwrap_or("alice".into());
    let password = arguments.next().unwrap_or("wonderland".into());
    let realm = arguments.next().unwrap_or("biloxi.example.com".into());
    let door = Arc::new(Door::new(user, &password, &realm)?);
    let sound = LocalMedia::audio(4000).codec(Codec::pcma()).codec(Codec::pcmu());
    let phone = Agent::builder().identity("sip:bob@biloxi.example.com").media(sound).bind(address).await?;
    println!("ready at {}", phone.address());
    let (for_calls, for_texts) = (Arc::clone(&door), door);
    let router = Router::new()
        .on_invite(move |incoming| call(Arc::clone(&for_calls), incoming))
        .on_message(move |incoming| text(Arc::clone(&for_texts), incoming));
    phone.serve(router).await;
    Ok(())
}

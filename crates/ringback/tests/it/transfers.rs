//! What a call can be besides made and answered: handed on, refreshed, talked in, watched.

use std::time::Duration;

use ringback::agent::{
    Admission, Agent, Call, CallEvent, CommandError, EndReason, EventState, Incoming, OutgoingEvent, ReferTold, Router,
    SubscriberTold, TransferFailed,
};
use ringback::prelude::*;
use ringback::ua::Package;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::agents::{WAIT, agent, answering, bob, sessions, sound};

/// Bob, who does what he is asked for; what becomes of his calls is told.
async fn obedient(told: mpsc::Sender<EndReason>) -> String {
    bob(Router::new().on_invite(move |call| {
        let told = told.clone();
        async move {
            let mut call = call.answer().await.unwrap();
            let mut transferred = None;
            while let Some(event) = call.event().await {
                match event {
                    CallEvent::Refer(refer) => {
                        if let Ok(call) = refer.follow().await.unwrap().answered().await {
                            transferred = Some(tokio::spawn(call.ended()));
                        }
                    }
                    CallEvent::Ended(reason) => told.send(reason).await.unwrap(),
                    _ => {}
                }
            }
            if let Some(transferred) = transferred {
                told.send(transferred.await.unwrap().unwrap()).await.unwrap();
            }
        }
    }))
    .await
}

#[tokio::test]
async fn a_blind_transfer_is_told_to_its_end() {
    let (told, mut ends) = mpsc::channel(4);
    let bob = obedient(told).await;
    let mut carol = agent("carol").await;
    let at_carol = format!("sip:carol@{}", carol.address());
    let alice = agent("alice").await;
    let call = alice.invite(&bob).await.unwrap();
    let mut transfer = call.transfer(&at_carol).await.unwrap();
    let Some(Incoming::Call(theirs)) = carol.incoming().await else { panic!("no call") };
    assert!(theirs.request().first(HeaderId::ReferredBy).is_some());
    theirs.ring().await.unwrap();
    let mut codes = Vec::new();
    let mut theirs = Some(theirs);
    let mut with_carol = None;
    while let Some(event) = timeout(WAIT, transfer.event()).await.unwrap() {
        if let ReferTold::Progress(progress) = event {
            let code = progress.status.unwrap().as_u16();
            codes.push(code);
            if code == 180 {
                with_carol = Some(theirs.take().unwrap().answer().await.unwrap());
            }
        }
    }
    assert_eq!((codes.first(), codes.last()), (Some(&100), Some(&200)), "{codes:?}");
    call.hang_up().await.unwrap();
    assert!(matches!(timeout(WAIT, ends.recv()).await.unwrap(), Some(EndReason::RemoteBye(_))));
    with_carol.unwrap().hang_up().await.unwrap();
    assert!(matches!(timeout(WAIT, ends.recv()).await.unwrap(), Some(EndReason::RemoteBye(_))));
    assert_eq!(sessions(&alice).await, 0);
}

#[tokio::test]
async fn a_transfer_that_comes_to_nothing_says_why() {
    let (told, _ends) = mpsc::channel(4);
    let obedient = obedient(told).await;
    let busy = bob(Router::new().on_invite(async |call| call.reject(StatusCode::BusyHere).await)).await;
    let alice = agent("alice").await;
    let call = alice.invite(&obedient).await.unwrap();
    let failed = timeout(WAIT, call.transfer(&busy).await.unwrap().outcome()).await.unwrap();
    assert_eq!(failed, Err(TransferFailed::Failed(StatusCode::BusyHere)));
    assert!(matches!(call.transfer("sip:no one").await, Err(CommandError::Build(_))));
    call.hang_up().await.unwrap();
    // Who only waits for the end of a call won't have it.
    let call = alice.invite(&bob(answering()).await).await.unwrap();
    let failed = call.transfer(&busy).await.unwrap().outcome().await;
    assert_eq!(failed, Err(TransferFailed::Refused(StatusCode::Decline)));
    // Outside of a call it is for the router.
    let failed = alice.refer(&busy, &obedient).await.unwrap().outcome().await;
    assert_eq!(failed, Err(TransferFailed::Refused(StatusCode::MethodNotAllowed)));
    let kind = bob(Router::new().on_refer(async |refer| {
        refer
            .follow()
            .await?
            .answered()
            .await?
            .hang_up()
            .await
            .map_err(Box::<dyn std::error::Error + Send + Sync>::from)
    }))
    .await;
    assert_eq!(
        timeout(WAIT, alice.refer(&kind, &obedient).await.unwrap().outcome()).await.unwrap(),
        Ok(StatusCode::Ok)
    );
}

/// A REFER for something else than a call is done by the application, which says how that went, or lets go of it.
#[tokio::test]
async fn what_is_no_call_is_done_by_the_application() {
    let bob = bob(Router::new().on_refer(async |refer| {
        assert_eq!(refer.referral().method, Method::Options);
        let (agent, uri) = (refer.agent().clone(), refer.referral().uri.clone());
        let following = refer.accept().await?;
        if uri.contains("nobody") {
            return Ok(());
        }
        let options = agent.request(Method::Options, &uri, |request| request).await;
        following.progress(options.map_or(StatusCode::ServiceUnavailable, |response| response.status())).await
    }))
    .await;
    let (alice, carol) = (agent("alice").await, agent("carol").await);
    let at_carol = format!("sip:carol@{};method=OPTIONS", carol.address());
    let outcome = alice.refer(&bob, &at_carol).await.unwrap().outcome();
    assert_eq!(timeout(WAIT, outcome).await.unwrap(), Ok(StatusCode::Ok));
    let outcome = alice.refer(&bob, "sip:nobody@b.example;method=OPTIONS").await.unwrap().outcome();
    assert_eq!(timeout(WAIT, outcome).await.unwrap(), Err(TransferFailed::Failed(StatusCode::Decline)));
    drop(carol);
}

/// Alice has called Bob and Carol, and leaves them to each other.
#[tokio::test]
async fn an_attended_transfer_replaces_a_call() {
    let (told, mut ends) = mpsc::channel(4);
    let bob = obedient(told).await;
    let mut carol = agent("carol").await;
    let at_carol = format!("sip:carol@{}", carol.address());
    let alice = agent("alice").await;
    let with_bob = alice.invite(&bob).await.unwrap();
    let calling = tokio::spawn(std::future::IntoFuture::into_future(alice.invite(&at_carol)));
    let Some(Incoming::Call(first)) = carol.incoming().await else { panic!("no call") };
    assert_eq!(first.replaces(), None);
    let first = first.answer().await.unwrap();
    let with_carol: Call = calling.await.unwrap().unwrap();
    let transfer = with_bob.transfer_into(&with_carol).await.unwrap();
    let Some(Incoming::Call(second)) = carol.incoming().await else { panic!("no call") };
    assert_eq!(second.replaces(), Some(first.session().id()));
    let second = second.answer().await.unwrap();
    assert_eq!(timeout(WAIT, transfer.outcome()).await.unwrap(), Ok(StatusCode::Ok));
    // Carol has hung the first call up by herself.
    assert_eq!(timeout(WAIT, first.ended()).await.unwrap(), Ok(EndReason::Elsewhere));
    assert!(matches!(timeout(WAIT, with_carol.ended()).await.unwrap(), Ok(EndReason::RemoteBye(_))));
    with_bob.hang_up().await.unwrap();
    timeout(WAIT, ends.recv()).await.unwrap();
    second.hang_up().await.unwrap();
    assert!(matches!(timeout(WAIT, ends.recv()).await.unwrap(), Some(EndReason::RemoteBye(_))));
}

#[tokio::test]
async fn a_call_is_talked_in_changed_and_refreshed() {
    let mut bob = agent("bob").await;
    let alice = agent("alice").await;
    let calling =
        tokio::spawn(std::future::IntoFuture::into_future(alice.invite(&format!("sip:bob@{}", bob.address()))));
    let Some(Incoming::Call(call)) = bob.incoming().await else { panic!("no call") };
    let mut theirs = call.answer().await.unwrap();
    let ours = calling.await.unwrap().unwrap();
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        while let Some(event) = theirs.event().await {
            match event {
                CallEvent::Request(request) => {
                    heard.push(format!("{} {}", request.method(), request.text()));
                    request.respond(StatusCode::Ok).await.unwrap();
                }
                CallEvent::Refreshed => heard.push("refreshed".into()),
                _ => {}
            }
        }
        heard
    });
    assert_eq!(ours.message("hello").await.unwrap().status(), StatusCode::Ok);
    let digit = ours.info("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n").await.unwrap();
    assert_eq!(digit.status(), StatusCode::Ok);
    let media = |codec| {
        ringback::agent::Media::Endpoint(
            ringback::session::endpoint("127.0.0.1".parse().unwrap()).media(sound(Codec::pcmu()).codec(codec)),
        )
    };
    ours.update(media(Codec::pcma())).await.unwrap();
    ours.reinvite(media(Codec::pcma())).await.unwrap();
    assert!(ours.update(ringback::agent::Media::None).await.is_err());
    let before = ours.session_timer().await.unwrap();
    ours.refresh().await.unwrap();
    assert!(before.is_some() && ours.session_timer().await.unwrap() == before);
    ours.hang_up().await.unwrap();
    let heard = timeout(WAIT, heard).await.unwrap().unwrap();
    assert_eq!(heard, ["MESSAGE hello", "INFO Signal=5\r\nDuration=160\r\n", "refreshed"]);
}

#[tokio::test]
async fn a_call_is_given_up_step_by_step() {
    let (ended, mut told) = mpsc::channel(1);
    let bob = bob(Router::new().on_invite(move |mut call| {
        let ended = ended.clone();
        async move {
            call.ring().await.unwrap();
            ended.send(call.cancelled().await).await.unwrap();
        }
    }))
    .await;
    let alice = agent("alice").await;
    let mut calling = alice.invite(&bob).begin().await.unwrap();
    let failed = loop {
        match calling.event().await {
            OutgoingEvent::Progress(response) if response.status() == StatusCode::Ringing => {
                assert_eq!(response.call_id(), calling.call_id().as_bytes());
                calling.cancel().await.unwrap();
            }
            OutgoingEvent::Progress(_) => {}
            OutgoingEvent::Failed(failed) => break failed,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(failed.status(), Some(StatusCode::RequestTerminated));
    assert_eq!(timeout(WAIT, told.recv()).await.unwrap(), Some(EndReason::Cancelled));
    assert_eq!(sessions(&alice).await, 0);
}

#[tokio::test]
async fn states_are_subscribed_to_told_and_ended_from_both_sides() {
    let state = |words: &'static str| EventState::new("text/plain", words);
    let lamp = Agent::builder().package(Package::new("lamp", "text/plain")).bind("127.0.0.1:0").await.unwrap();
    let (to, core) = (format!("sip:lamp@{}", lamp.address()), lamp.core().clone());
    let (gone, mut told) = mpsc::channel(2);
    let router = Router::new().on_subscribe(move |subscription| {
        let gone = gone.clone();
        async move {
            let is_asked_once = subscription.wanted().granted_secs == 61;
            let mut watcher = subscription.grant(Admission::Granted(state("off"))).await.unwrap();
            watcher.change(state("on")).await.unwrap();
            if !is_asked_once {
                watcher.ended().await;
                gone.send(()).await.unwrap();
            }
        }
    });
    tokio::spawn(lamp.serve(router));
    let alice = agent("alice").await;
    let mut subscribed = alice.subscribe(&to, "lamp").await.unwrap();
    let mut heard = Vec::new();
    while heard.last().is_none_or(|state| state != "on") {
        let Some(SubscriberTold::Notified { request, .. }) = timeout(WAIT, subscribed.event()).await.unwrap() else {
            panic!("{heard:?}")
        };
        heard.push(String::from_utf8_lossy(request.body()).into_owned());
    }
    drop(subscribed);
    timeout(WAIT, told.recv()).await.unwrap().unwrap();
    // The other side ends it: its handle is dropped.
    let mut subscribed = alice.subscribe(&to, "lamp").expires_secs(61).await.unwrap();
    let end = timeout(WAIT, async {
        loop {
            match subscribed.event().await {
                Some(SubscriberTold::Notified { notified, .. }) if notified.end.is_some() => break true,
                Some(_) => {}
                None => break false,
            }
        }
    });
    assert!(end.await.unwrap());
    assert_eq!(timeout(Duration::from_secs(1), subscribed.event()).await.unwrap(), None);
    // A package that nobody has named is refused by the core.
    let mut unknown = alice.subscribe(&to, "kettle").await.unwrap();
    let refused = timeout(WAIT, unknown.event()).await.unwrap();
    assert!(matches!(refused, Some(SubscriberTold::Ended { .. })), "{refused:?}");
    let left = core.with(|agent, _| Ok(agent.notifier().len())).await.unwrap();
    assert_eq!(left, 0);
}

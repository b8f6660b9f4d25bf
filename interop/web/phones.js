// Two phones in one page: both register, one calls the other, each must hear the other, one hangs up, both go away.
//
// The query holds the calls, each `caller>callee>url`, where a side is `library:user:password`; of the first the caller hangs up, of
// the next the callee. A side `outside:user` is a phone elsewhere, without sound: the page's side is called or calls, and is hung up on or
// hangs up. What came of them goes to /result as JSON.
import JsSIP from 'jssip';
import { Inviter, Registerer, RegistererState, SessionState, UserAgent } from 'sip.js';

const query = new URLSearchParams(location.search);
const domain = query.get('domain');
const media = { audio: true, video: false };

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, limitMs, holds) {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms: ${what}`);
    await sleep(25);
  }
}

/** What both libraries have in common: registered, call, peer, cause. */
function phone(side, url, element) {
  const [library, user, password] = side.split(':');
  const uri = `sip:${user}@${domain}`;
  const state = { registered: false, call: 'none', cause: null, peer: null, element };
  const makers = { jssip, sipjs, outside };
  return { user, state, ...makers[library](state, { uri, user, password, url }) };
}

function play(state) {
  const tracks = state.peer.getReceivers().map((receiver) => receiver.track).filter(Boolean);
  document.getElementById(state.element).srcObject = new MediaStream(tracks);
  state.call = 'confirmed';
}

function jssip(state, { uri, password, url }) {
  const ua = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(url)], uri, password, register: true });
  const options = { mediaConstraints: media, pcConfig: { iceServers: [] } };
  let session = null;
  ua.on('registered', () => { state.registered = true; });
  ua.on('unregistered', () => { state.registered = false; });
  ua.on('registrationFailed', (event) => { state.cause = event.cause; });
  ua.on('newRTCSession', (event) => {
    session = event.session;
    state.peer = session.connection ?? state.peer;
    session.on('peerconnection', ({ peerconnection }) => { state.peer = peerconnection; });
    session.on('confirmed', () => play(state));
    session.on('ended', (ended) => { state.call = 'ended'; state.cause = ended.cause; });
    session.on('failed', (failed) => { state.call = 'failed'; state.cause = failed.cause; });
    if (event.originator === 'remote') session.answer(options);
  });
  return {
    start: async () => ua.start(),
    call: async (to) => { session = ua.call(to, options); state.peer = session.connection; },
    hangUp: async () => session.terminate(),
    unregister: async () => ua.unregister(),
    stop: async () => ua.stop(),
  };
}

function sipjs(state, { uri, user, password, url }) {
  const options = { sessionDescriptionHandlerOptions: { constraints: media } };
  let session = null;
  const watch = (other) => {
    session = other;
    session.stateChange.addListener((now) => {
      if (now === SessionState.Established) {
        state.peer = session.sessionDescriptionHandler.peerConnection;
        play(state);
      }
      if (now === SessionState.Terminated) state.call = 'ended';
    });
  };
  const ua = new UserAgent({
    uri: UserAgent.makeURI(uri),
    transportOptions: { server: url },
    authorizationUsername: user,
    authorizationPassword: password,
    logLevel: 'warn',
    sessionDescriptionHandlerFactoryOptions: { iceGatheringTimeout: 500, peerConnectionConfiguration: { iceServers: [] } },
    delegate: { onInvite: (invitation) => { watch(invitation); invitation.accept(options); } },
  });
  const registerer = new Registerer(ua, { expires: 600 });
  registerer.stateChange.addListener((now) => { state.registered = now === RegistererState.Registered; });
  return {
    start: async () => { await ua.start(); await registerer.register(); },
    call: async (to) => {
      watch(new Inviter(ua, UserAgent.makeURI(to), options));
      await session.invite();
    },
    hangUp: async () => (session.state === SessionState.Established ? session.bye() : session.cancel()),
    unregister: async () => registerer.unregister(),
    stop: async () => ua.stop(),
  };
}

/** Does all of itself. */
function outside(state) {
  state.outside = true;
  const nothing = async () => {};
  return {
    start: async () => { state.registered = true; },
    call: nothing,
    hangUp: nothing,
    unregister: async () => { state.registered = false; },
    stop: nothing,
  };
}

async function heard(state) {
  const sum = { packets: 0, lost: 0, energy: 0 };
  for (const report of (await state.peer.getStats()).values()) {
    if (report.type !== 'inbound-rtp') continue;
    sum.packets += report.packetsReceived;
    sum.lost += report.packetsLost;
    sum.energy += report.totalAudioEnergy ?? 0;
  }
  return sum;
}

async function oneCall(text, calleeHangsUp) {
  const [callerSide, calleeSide, url] = text.split('>');
  const callee = phone(calleeSide, url, 'callee');
  const caller = phone(callerSide, url, 'caller');
  const phones = [caller, callee];
  for (const each of phones) await each.start();
  await until('both are registered', 10_000, () => phones.every((each) => each.state.registered));
  const began = performance.now();
  await caller.call(`sip:${callee.user}@${domain}`);
  const inside = phones.filter((each) => !each.state.outside);
  const isOver = () => phones.some((each) => ['failed', 'ended'].includes(each.state.call));
  await until('the call is confirmed', 10_000, () => isOver() || inside.every((each) => each.state.call === 'confirmed'));
  if (isOver()) throw new Error(`the call failed: ${phones.map((each) => `${each.state.call} ${each.state.cause}`)}`);
  const confirmedMs = Math.round(performance.now() - began);
  const stats = [];
  for (const each of inside.length === phones.length ? phones : []) {
    // What is confirmed first has nothing to say of whether anything is heard.
    await until('each hears the other', 10_000, async () => {
      const sum = await heard(each.state);
      return sum.packets >= 50 && sum.energy > 0;
    });
    stats.push(await heard(each.state));
  }
  await (calleeHangsUp ? callee : caller).hangUp();
  await until('both have hung up', 5_000, () => inside.every((each) => each.state.call === 'ended'));
  for (const each of phones) await each.unregister();
  await until('both are gone', 5_000, () => phones.every((each) => !each.state.registered));
  for (const each of phones) await each.stop();
  return { confirmedMs, stats };
}

const results = [];
for (const [index, text] of query.getAll('call').entries()) {
  try {
    results.push({ ok: true, ...(await oneCall(text, index % 2 === 1)) });
  } catch (error) {
    results.push({ ok: false, fault: String(error?.message ?? error) });
  }
}
await fetch('/result', { method: 'POST', body: JSON.stringify(results) });

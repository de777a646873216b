//! How a request is taken through faults, effects and the log to its answer.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};
use xynergy_core::config::Secret;
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

use super::config::ServerClock;
use super::crm_file::CrmFile;
use super::fault::{CutPoint, Fault, HumanEdit, UsageFault};
use super::incoming::{Incoming, MAX_BODY_BYTES};
use super::journal::Journal;
use super::record::{
    Actor, CallerIds, Cut, EditLine, EffectLine, Entry, FaultLine, FieldChange, LateEvent, ObjectLine,
    ObjectWrite, Record, RequestLine, ScheduledLine, Surface,
};
use super::reply::{Handled, Reply, ReplyBody};
use super::state::SandboxState;
use super::world::World;
use super::{ai, graph, hubspot};

/// What all requests share.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) clock: ServerClock,
    pub(super) crm: CrmFile,
    pub(super) app: App,
    pub(super) hubspot_secret: Secret,
    /// One lock keeps the order of lines, and so of effects.
    core: Mutex<Core>,
    next_due: NextDue,
}

/// When the next late effect lands that is in the log, for those who cannot wait for the lock.
type NextDue = Arc<std::sync::Mutex<Option<Timestamp>>>;

/// The app behind every write by the API.
#[derive(Debug)]
pub(super) struct App {
    pub(super) id: String,
    pub(super) name: String,
}

/// What answers a request.
#[derive(Debug)]
pub(super) enum Served {
    Reply(Reply),
    Cut,
}

#[derive(Debug)]
pub(super) struct Core {
    pub(super) world: World,
    journal: Journal,
    /// Lines that are folded and not yet in the journal.
    unwritten: Vec<u8>,
    /// Requests that have arrived and are not yet in the log, as method and path: rules count them.
    in_flight: BTreeMap<u64, (String, String)>,
    arrivals: u64,
    /// Why the log can no longer be trusted to be written.
    broken: Option<String>,
    next_due: NextDue,
}

impl Engine {
    pub(super) fn new(
        world: World,
        journal: Journal,
        clock: ServerClock,
        crm: CrmFile,
        app: App,
        hubspot_secret: Secret,
    ) -> Self {
        let next_due = NextDue::default();
        *next_due.lock().unwrap_or_else(PoisonError::into_inner) = world.next_due();
        let core = Core {
            world,
            journal,
            unwritten: Vec::new(),
            in_flight: BTreeMap::new(),
            arrivals: 0,
            broken: None,
            next_due: next_due.clone(),
        };
        Self { clock, crm, app, hubspot_secret, core: Mutex::new(core), next_due }
    }

    /// The state, with every late effect that is due. Whoever calls it commits before letting go, in a task that is not
    /// cancelled: an append that is left alone could be overtaken by the next.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Core> {
        let mut core = self.core.lock().await;
        let now = self.now(&core);
        core.land_due(now);
        core
    }

    /// When the next late effect lands.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        *self.next_due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state once every late effect that is due is in the log.
    pub(super) async fn state(&self) -> Result<SandboxState> {
        let mut core = self.lock().await;
        core.commit().await?;
        Ok(SandboxState::of(&core.world, self.now(&core)))
    }

    /// The sandbox's time: a shared clock that was set back does not take the log with it.
    pub(super) fn now(&self, core: &Core) -> Timestamp {
        self.clock.now().max(core.world.last_at)
    }

    /// Ends it: what is still on its way finds the log closed.
    pub(super) async fn close(&self) {
        self.core.lock().await.journal = Journal::Closed;
    }

    /// Takes one request of a vendor's API through. It is not to be cancelled: whoever calls it runs it in a task of its own.
    pub(super) async fn serve(&self, request: Incoming) -> Served {
        let mut core = self.lock().await;
        let arrival = core.arrive(&request);
        let fired = core.fired(&request);
        let outcome = self.befall(core, &request, fired).await;
        let mut core = outcome.core;
        let now = self.now(&core);
        let mut cut = outcome.cut;
        let mut handled = match outcome.answer {
            Some(handled) => handled,
            None if cut == Some(Cut::Before) => Handled::from(Reply::json(500, &json!({}))),
            None => self.handle(&core.world, &request, now),
        };
        if let Some(chunks) = outcome.cut_stream {
            match &mut handled.reply.body {
                ReplyBody::Events { cut: at, .. } => {
                    *at = Some(chunks);
                    cut = cut.or(Some(Cut::Stream));
                }
                ReplyBody::Whole(..) => cut = cut.or(Some(Cut::After)),
            }
        }
        if let Some(usage) = outcome.usage.filter(|_| request.surface == Surface::Graph) {
            handled.reply = graph::with_usage_fault(handled.reply, &core.world, usage);
        }
        if cut == Some(Cut::Late) {
            core.announce(&request, &mut handled, now, outcome.late);
        }
        core.take_up(&request, &handled, cut, now);
        core.in_flight.remove(&arrival);
        if let Err(error) = core.commit().await {
            return Served::Reply(unwritten(&error));
        }
        match cut {
            None | Some(Cut::Stream) => Served::Reply(self.finish(handled.reply, &request, &core)),
            Some(_) => Served::Cut,
        }
    }

    /// Applies the faults of a request, up to the first that answers or cuts.
    async fn befall<'a>(
        &'a self,
        mut core: MutexGuard<'a, Core>,
        request: &Incoming,
        fired: Vec<(usize, u64, Fault)>,
    ) -> Befallen<'a> {
        let mut answer = None;
        let mut cut = None;
        let mut cut_stream = None;
        let mut late = Duration::ZERO;
        let mut usage = None;
        for (rule, nth, fault) in fired {
            let now = self.now(&core);
            core.push(
                now,
                Entry::Fault(FaultLine {
                    rule: rule + 1,
                    nth,
                    fault: fault.clone(),
                    method: request.method.to_string(),
                    path: request.path.clone(),
                    request_id: request.ids.request_id.clone(),
                }),
            );
            match fault {
                Fault::Usage(said) => usage = Some(said),
                Fault::Delay(ms) => {
                    // A failed write shows when the request itself is taken up.
                    let _ = core.commit().await;
                    drop(core);
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    core = self.lock().await;
                }
                Fault::Edit(edit) => {
                    let _ = core.edit(edit, request.ids.request_id.clone(), now);
                }
                Fault::Status(fault) => answer = Some(Handled::from(status_reply(&fault))),
                Fault::Graph(fault) => answer = Some(graph::fault(&fault, &core.world, now)),
                Fault::Cut(CutPoint::Before) => cut = Some(Cut::Before),
                Fault::Cut(CutPoint::After) => cut = Some(Cut::After),
                Fault::Late(ms) => {
                    cut = Some(Cut::Late);
                    late = Duration::from_millis(ms);
                }
                Fault::CutStream(chunks) => cut_stream = Some(chunks),
            }
            if answer.is_some() || cut.is_some() {
                break;
            }
        }
        Befallen { core, answer, cut, cut_stream, late, usage }
    }

    fn handle(&self, world: &World, request: &Incoming, now: Timestamp) -> Handled {
        if request.body.is_err() {
            return too_large(request.surface).into();
        }
        match request.surface {
            Surface::Openai | Surface::Abacus | Surface::Internal => ai::handle(request, now),
            Surface::Graph => graph::handle(world, &self.app, request, now),
            Surface::Hubspot => hubspot::handle(&self.crm, request, now).into(),
            Surface::Control | Surface::Unknown => Reply::json(
                404,
                &json!({"error": {"message": format!("nothing is served at {}; GET /_sandbox/ says what is", request.path)}}),
            )
            .into(),
        }
    }

    fn finish(&self, reply: Reply, request: &Incoming, core: &Core) -> Reply {
        let id = request.ids.request_id.clone().unwrap_or_else(|| format!("req_{:012x}", core.world.seq));
        let reply = reply.with_header("x-request-id", id);
        if request.surface == Surface::Graph {
            graph::with_usage(reply, &core.world, self.now(core))
        } else {
            reply
        }
    }
}

struct Befallen<'a> {
    core: MutexGuard<'a, Core>,
    answer: Option<Handled>,
    cut: Option<Cut>,
    cut_stream: Option<usize>,
    late: Duration,
    usage: Option<UsageFault>,
}

impl Core {
    /// Adds a line: folded at once, in the journal with the next [`Core::commit`].
    pub(super) fn push(&mut self, at: Timestamp, entry: Entry) {
        if self.broken.is_some() {
            return;
        }
        let record = Record { seq: self.world.seq + 1, at, entry };
        let line = serde_json::to_vec(&record).map_err(|e| e.to_string());
        match self.world.apply(&record).and(line) {
            Ok(line) => {
                self.unwritten.extend_from_slice(&line);
                self.unwritten.push(b'\n');
            }
            Err(why) => self.broken = Some(why),
        }
    }

    /// Makes every line since the last commit durable. After a failure nothing is ever acknowledged again: what is on
    /// disk and what is in memory may differ.
    pub(super) async fn commit(&mut self) -> Result<()> {
        if self.broken.is_none() && !self.unwritten.is_empty() {
            let lines = std::mem::take(&mut self.unwritten);
            if let Err(error) = self.journal.append(lines).await {
                self.broken = Some(error.to_string());
            }
        }
        *self.next_due.lock().unwrap_or_else(PoisonError::into_inner) = self.world.next_due();
        match &self.broken {
            None => Ok(()),
            Some(why) => Err(Error::new(
                ErrorKind::Unavailable,
                "sandbox",
                format!("the sandbox stopped because its log failed: {why}; start it again"),
            )),
        }
    }

    pub(super) async fn log_text(&self) -> Result<Vec<u8>> {
        self.journal.text().await
    }

    fn arrive(&mut self, request: &Incoming) -> u64 {
        self.arrivals += 1;
        self.in_flight.insert(self.arrivals, (request.method.to_string(), request.path.clone()));
        self.arrivals
    }

    /// The faults that befall a request which has just arrived, as (rule, number of the request, fault).
    fn fired(&self, request: &Incoming) -> Vec<(usize, u64, Fault)> {
        let counts = |rule: &super::FaultRule| rule.counts(request.method.as_str(), &request.path);
        let mut fired = Vec::new();
        for (index, state) in self.world.rules.iter().enumerate().filter(|(_, state)| counts(&state.rule)) {
            let waiting =
                self.in_flight.values().filter(|(method, path)| state.rule.counts(method, path)).count();
            let nth = state.counted + u64::try_from(waiting).unwrap_or(u64::MAX);
            if state.rule.takes(nth) {
                fired.push((index, nth, state.rule.fault.clone()));
            }
        }
        fired
    }

    /// Lets every late effect land that is due, each at its own time.
    pub(super) fn land_due(&mut self, now: Timestamp) -> usize {
        let mut landed = 0;
        while let Some(line) = self.world.landing(now).cloned() {
            let mut end = ScheduledLine { event: LateEvent::Landed, ..line.clone() };
            let at = line.due.max(self.world.last_at);
            match self.world.plan_write(&line.write, at, false) {
                _ if line.write.object_id.is_empty() => {}
                Ok(changes) => self.effects(changes, Actor::App, None, &line.ids, Some(line.late), at),
                Err(refusal) => {
                    end.refused = Some(refusal.error.message);
                    end.budget_blocked = refusal.block;
                }
            }
            if let Some(object) = line.object.clone() {
                self.object(object, &line.ids, Some(line.late), at);
            }
            self.push(at, Entry::Scheduled(end));
            landed += 1;
            if self.broken.is_some() {
                break;
            }
        }
        landed
    }

    /// An object that is created, or gets other fields.
    fn object(&mut self, object: ObjectWrite, ids: &CallerIds, late: Option<u64>, at: Timestamp) {
        let fresh = || graph::fresh_id(self.world.seq + 1);
        let (created, object_id) = match &object.object_id {
            Some(id) => (false, id.clone()),
            None => (true, fresh()),
        };
        self.push(at, Entry::Object(ObjectLine { created, object_id, object, ids: ids.clone(), late }));
    }

    /// A person's edit, and the line that says so.
    pub(super) fn edit(
        &mut self,
        edit: HumanEdit,
        request_id: Option<String>,
        now: Timestamp,
    ) -> Result<Vec<FieldChange>, String> {
        let planned = self.world.plan_edit(&edit);
        if let Ok(changes) = &planned {
            let ids = CallerIds { request_id: request_id.clone(), ..CallerIds::default() };
            self.effects(changes.clone(), Actor::Human, edit.actor.as_deref(), &ids, None, now);
        }
        self.push(now, Entry::Edit(EditLine { edit, request_id, refused: planned.as_ref().err().cloned() }));
        planned
    }

    fn effects(
        &mut self,
        changes: Vec<FieldChange>,
        actor: Actor,
        actor_name: Option<&str>,
        ids: &CallerIds,
        late: Option<u64>,
        at: Timestamp,
    ) {
        for change in changes {
            let actor_name = actor_name.map(str::to_owned);
            self.push(at, Entry::Effect(EffectLine { change, actor, actor_name, ids: ids.clone(), late }));
        }
    }

    /// Puts the effect of a write off until it is due.
    fn announce(&mut self, request: &Incoming, handled: &mut Handled, now: Timestamp, after: Duration) {
        handled.changes.clear();
        handled.block = None;
        handled.error = None;
        handled.report = None;
        let (write, object) = (handled.write.take(), handled.object.take());
        if write.is_some() || object.is_some() {
            let line = ScheduledLine {
                event: LateEvent::Announced,
                late: self.world.seq + 1,
                due: now.plus(after),
                write: write.unwrap_or_default(),
                object,
                ids: request.ids.clone(),
                refused: None,
                budget_blocked: None,
            };
            self.push(now, Entry::Scheduled(line));
        }
    }

    /// The lines of a request: its effects, then itself.
    fn take_up(&mut self, request: &Incoming, handled: &Handled, cut: Option<Cut>, now: Timestamp) {
        self.effects(handled.changes.clone(), Actor::App, None, &request.ids, None, now);
        if let Some(object) = handled.object.clone() {
            self.object(object, &request.ids, None, now);
        }
        if let Some(report) = handled.report.clone() {
            self.push(now, Entry::Report(report));
        }
        let answered = matches!(cut, None | Some(Cut::Stream));
        self.push(
            now,
            Entry::Request(RequestLine {
                method: request.method.to_string(),
                path: request.path.clone(),
                query: request.shown_query.clone(),
                surface: request.surface,
                status: answered.then_some(handled.reply.status),
                cut,
                ids: request.ids.clone(),
                body_bytes: request.body_len(),
                sent: graph::sent(request),
                error: handled.error.clone(),
                budget_blocked: handled.block.clone(),
                usage: handled.usage.clone(),
            }),
        );
    }
}

fn too_large(surface: Surface) -> Reply {
    let message = format!("the body is longer than {MAX_BODY_BYTES} bytes");
    match surface {
        Surface::Hubspot => hubspot::error(413, "PAYLOAD_TOO_LARGE", &message),
        Surface::Graph => Reply::json(413, &graph::GraphError::invalid(message).body()),
        _ => ai::error(413, &message, None),
    }
}

fn status_reply(fault: &super::fault::StatusFault) -> Reply {
    let mut reply = match &fault.body {
        Some(serde_json::Value::String(text)) => {
            Reply::whole(fault.status, "text/plain; charset=utf-8", text.clone().into_bytes())
        }
        Some(body) => Reply::json(fault.status, body),
        None => Reply::json(
            fault.status,
            &json!({"error": {"message": "the sandbox was told to fail this request", "type": "server_error"}}),
        ),
    };
    for (name, value) in &fault.headers {
        reply = reply.with_header(name, value.as_str().unwrap_or_default());
    }
    reply
}

pub(super) fn unwritten(error: &Error) -> Reply {
    Reply::json(500, &json!({"error": {"message": error.message()}}))
}

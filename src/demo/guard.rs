//! The part of the story that shows the policy at work: something redacted, something blocked, something only counted, and a new
//! policy that takes over under traffic; then what happens to answers. The policy is signed here, by a key that lives as long as the demo.

use std::fs;
use std::io;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use serde_json::Value;

use super::answer;
use super::call::Reply;
use super::call::call;
use super::model::script::KEY;
use crate::clock;
use crate::config::Config;
use crate::config::Events;
use crate::policy::bundle;
use crate::policy::bundle::SigningKey;

/// Callers at once while the policy changes.
const CALLERS: usize = 4;

/// How long the new policy may take to hold for all of them. The file is looked at every second.
const TAKEOVER_MAX: Duration = Duration::from_secs(10);

/// How long an event may take to be written. It takes a tenth of a second.
const EVENT_MAX: Duration = Duration::from_secs(5);

/// The demo's policy, its key and its events.
pub(super) struct Guard {
    folder: PathBuf,
    key: SigningKey,
    /// What the model was asked last.
    pub(super) last_body: Arc<ArcSwap<Vec<u8>>>,
}

impl Guard {
    /// Makes a key and the first policy, in a folder of its own.
    pub(super) fn new() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("pnx-demo-{}-{}", std::process::id(), clock::unix().as_nanos()));
        fs::create_dir(&folder)?;
        let failed = |_| io::Error::other("no key could be made");
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(failed)?;
        let key = SigningKey::from_pkcs8(der.as_ref()).ok_or(io::ErrorKind::Unsupported)?;
        let guard = Self { folder, key, last_body: Arc::default() };
        guard.publish(1, "redact", "mode = \"shadow\"\n")?;
        Ok(guard)
    }

    /// Tells the gateway of policy, key and events.
    pub(super) fn configure(&self, config: &mut Config) {
        config.policy = Some(self.folder.join("policy"));
        config.policy_keys = vec![self.key.public().to_hex()];
        config.tenant = Some("demo".to_owned());
        config.events = Events::File(self.folder.join("events"));
        config.admin = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    }

    /// Signs a policy and puts it in place as a whole: what is done about e-mail addresses, and the mode of the last rule.
    fn publish(&self, version: u64, email: &str, mode: &str) -> io::Result<()> {
        let document = format!(
            "version = {version}\ntenant = \"demo\"\n\n\
             [[rule]]\nid = \"5f0c6d5e-0000-4000-8000-000000000001\"\ndetector = \"email\"\naction = \"{email}\"\n\n\
             [[rule]]\nid = \"5f0c6d5e-0000-4000-8000-000000000002\"\ndetector = \"aws_access_key\"\naction = \"block\"\n\
             scope = [\"request\", \"response\"]\n\n\
             [[rule]]\nid = \"5f0c6d5e-0000-4000-8000-000000000003\"\ndetector = \"card\"\naction = \"redact\"\n\
             scope = [\"response\"]\n\n\
             [[rule]]\nid = \"5f0c6d5e-0000-4000-8000-000000000004\"\nliterals = [\"Project Bluebird\"]\n\
             code = \"DLP.CUSTOM.PROJECT\"\nseverity = \"high\"\naction = \"block\"\n{mode}"
        );
        let signed = bundle::sign(&document, &self.key, clock::unix().as_secs(), None);
        let signed = signed.map_err(|_| io::Error::other("the demo's policy is not valid"))?;
        fs::write(self.folder.join("aside"), signed)?;
        fs::rename(self.folder.join("aside"), self.folder.join("policy"))
    }

    /// What the model was told last.
    pub(super) fn prompt(&self) -> String {
        let seen: Value = serde_json::from_slice(&self.last_body.load()).unwrap_or_default();
        seen.pointer("/messages/0/content").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The event with this reason code, once it is written. Those of two cores stand in no particular order.
    fn event(&self, code: &str) -> Option<String> {
        let begun = clock::now();
        while begun.elapsed() < EVENT_MAX {
            let text = fs::read_to_string(self.folder.join("events")).unwrap_or_default();
            if let Some(event) = text.lines().find(|line| line.contains(code)) {
                return Some(event.to_owned());
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.folder);
    }
}

/// Where everything is.
pub(super) struct Ground<'a> {
    /// The gateway.
    pub(super) gateway: SocketAddr,
    /// Its metrics.
    pub(super) admin: SocketAddr,
    pub(super) guard: &'a Guard,
}

/// Tells it all. Returns how many of how many scenes ended as they should.
pub(super) fn tell(ground: &Ground<'_>, out: &mut dyn Write) -> io::Result<(usize, usize)> {
    writeln!(out, "\nThe same gateway reads every request and every answer under a policy that the demo has signed.")?;
    let scenes = [redacted, blocked, shadow, takeover, answer::masked, answer::cut, answer::restored];
    let mut good = 0;
    for scene in scenes {
        match scene(ground, out) {
            Ok(ended_well) => good += usize::from(ended_well),
            Err(error) => writeln!(out, "     this did not go as it should: {error}")?,
        }
    }
    Ok((good, scenes.len()))
}

/// A chat through the gateway; `each` gets the events of an answer that is streamed.
pub(super) fn ask(
    ground: &Ground<'_>,
    body: &Value,
    each: &mut dyn FnMut(&Value) -> io::Result<bool>,
) -> io::Result<Reply> {
    let body = body.to_string();
    let length = body.len();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}",
        ground.gateway
    );
    call(&ground.gateway.to_string(), &request, each)
}

fn say(ground: &Ground<'_>, prompt: &str) -> io::Result<Reply> {
    let body = serde_json::json!({"model": "mock-small", "messages": [{"role": "user", "content": prompt}]});
    ask(ground, &body, &mut |_| Ok(false))
}

fn redacted(ground: &Ground<'_>, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "\nA. An e-mail address in a prompt: the model is asked without it")?;
    let prompt = "Write to anna.keller@nordwind-handel.de that the offer stands.";
    writeln!(out, "   > {prompt}")?;
    let reply = say(ground, prompt)?;
    let seen = ground.guard.prompt();
    writeln!(out, "   = {seen}\n     {}: what the model got.", reply.status)?;
    Ok(reply.status == 200 && seen == "Write to [EMAIL] that the offer stands.")
}

fn blocked(ground: &Ground<'_>, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "\nB. An AWS key in a prompt: refused, and the workspace is told nothing but this")?;
    let prompt = format!("Why does {KEY} not work?");
    writeln!(out, "   > {prompt}")?;
    let reply = say(ground, &prompt)?;
    writeln!(out, "   < {}\n     {}.", reply.body, reply.status)?;
    let event = ground.guard.event("DLP.SECRET.AWS_ACCESS_KEY").unwrap_or_default();
    writeln!(out, "   ! {event}")?;
    let told = !event.is_empty() && !event.contains(KEY);
    Ok(reply.status == 403 && told)
}

fn shadow(ground: &Ground<'_>, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "\nC. A rule in shadow mode: it would block, and only counts")?;
    let prompt = "When does Project Bluebird start?";
    writeln!(out, "   > {prompt}")?;
    let reply = say(ground, prompt)?;
    writeln!(out, "   < {} as if nothing were", reply.status)?;
    ground.guard.event("DLP.CUSTOM.PROJECT");
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", ground.admin);
    let page = call(&ground.admin.to_string(), &request, &mut |_| Ok(false))?.body;
    let wanted = ["pnx_events_total{code=\"DLP.CUSTOM.PROJECT\"} 1", "pnx_verdicts_total{verdict=\"warn\"} 1"];
    for line in wanted.iter().filter(|line| page.contains(*line)) {
        writeln!(out, "     {line}")?;
    }
    Ok(reply.status == 200 && wanted.iter().all(|line| page.contains(line)))
}

/// What one caller has seen.
#[derive(Default)]
struct Calls {
    answered: u32,
    refused: u32,
    failed: u32,
}

fn takeover(ground: &Ground<'_>, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(
        out,
        "\nD. Version 2 of the policy arrives while {CALLERS} callers keep asking: the shadow rule blocks from now on, \
         and e-mail addresses come back"
    )?;
    let stop = AtomicBool::new(false);
    let sum = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(|| keep_asking(ground, &stop))).collect();
        thread::sleep(Duration::from_millis(100));
        let published = ground.guard.publish(2, "tokenise", "");
        let mut sum = Calls::default();
        for caller in callers {
            let calls = caller.join().unwrap_or(Calls { failed: 1, ..Calls::default() });
            sum.answered += calls.answered;
            sum.refused += calls.refused;
            sum.failed += calls.failed;
        }
        published.map(|()| sum)
    })?;
    let Calls { answered, refused, failed } = sum;
    writeln!(
        out,
        "     {answered} calls answered under version 1, then {refused} refused under version 2, {failed} failed."
    )?;
    Ok(answered > 0 && usize::try_from(refused) == Ok(CALLERS) && failed == 0)
}

/// Until the answer is that of the new policy.
fn keep_asking(ground: &Ground<'_>, stop: &AtomicBool) -> Calls {
    let begun = clock::now();
    let mut calls = Calls::default();
    while !stop.load(Relaxed) && begun.elapsed() < TAKEOVER_MAX {
        match say(ground, "When does Project Bluebird start?").map(|reply| (reply.status, reply.body)) {
            Ok((200, _)) => calls.answered += 1,
            Ok((403, body)) if body.contains("\"policy_version\":2") => {
                calls.refused += 1;
                return calls;
            }
            Ok(_) | Err(_) => {
                calls.failed += 1;
                stop.store(true, Relaxed);
            }
        }
    }
    calls
}

//! The module `os`, as far as it is native: environment, process id, signals.
//!
//! Environment variables live in a table of the VM's own, which starts as a copy of the operating
//! system's; that is what Erlang code sees and what external programs inherit. The operating system's
//! environment is never written: no program with threads may do that.

use crate::bifs;
use crate::file_name;
use enigma_runtime::atom::Atom;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};
use parking_lot::RwLock;
use std::collections::BTreeMap;

bifs! { BIFS:
    "os" {
        "getenv"/1 Call => getenv;
        "putenv"/2 Call => putenv;
        "unsetenv"/1 Call => unsetenv;
        "env"/0 Call => env;
        "getpid"/0 Call => getpid;
        "set_signal"/2 Call => set_signal;
    }
}

static ENVIRONMENT: RwLock<BTreeMap<Vec<u8>, Vec<u8>>> = RwLock::new(BTreeMap::new());

/// Sets all variables.
pub fn set_environment(vars: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) {
    *ENVIRONMENT.write() = vars.collect();
}

/// All variables, for the start of an external program.
pub fn environment() -> BTreeMap<Vec<u8>, Vec<u8>> {
    ENVIRONMENT.read().clone()
}

/// The value of a variable.
pub fn variable(name: &str) -> Option<Vec<u8>> {
    ENVIRONMENT.read().get(name.as_bytes()).cloned()
}

/// Sets a variable.
pub fn set_variable(name: Vec<u8>, value: Vec<u8>) {
    ENVIRONMENT.write().insert(name, value);
}

fn name(t: Term) -> Result<Vec<u8>, Exit> {
    let n = file_name::encode(t)
        .filter(|_| t.is_list())
        .ok_or_else(badarg)?;
    if n.contains(&b'=') {
        Err(badarg())
    } else {
        Ok(n)
    }
}

fn text(cx: &mut Ctx<'_>, bytes: &[u8]) -> Term {
    let chars =
        file_name::decode(bytes).unwrap_or_else(|| bytes.iter().map(|&b| u32::from(b)).collect());
    cx.heap()
        .list_from(chars.into_iter().map(|c| Term::small(i64::from(c))))
}

fn getenv(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let value = ENVIRONMENT.read().get(&name(a[0])?).cloned();
    Ok(match value {
        Some(v) => text(cx, &v),
        None => false.into(),
    })
}

fn putenv(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (n, v) = (
        name(a[0])?,
        file_name::encode(a[1])
            .filter(|_| a[1].is_list())
            .ok_or_else(badarg)?,
    );
    ENVIRONMENT.write().insert(n, v);
    Ok(true.into())
}

fn unsetenv(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    ENVIRONMENT.write().remove(&name(a[0])?);
    Ok(true.into())
}

fn env(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let all = environment();
    let mut pairs = Vec::with_capacity(all.len());
    for (k, v) in all {
        let (k, v) = (text(cx, &k), text(cx, &v));
        pairs.push(cx.tuple2(k, v));
    }
    Ok(cx.heap().list(&pairs))
}

fn getpid(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let s = std::process::id().to_string();
    Ok(cx.heap().char_list(&s))
}

/// What is to happen on a signal of the operating system.
fn set_signal(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let how = a[1].as_atom().map_or("", Atom::text);
    if !matches!(how, "ignore" | "default" | "handle") {
        return Err(Exit::error_cause(Atom::BADARG, Atom::new("badopt")));
    }
    let number = match a[0].as_atom().map(Atom::text).ok_or_else(badarg)? {
        "sighup" => libc::SIGHUP,
        "sigquit" => libc::SIGQUIT,
        "sigabrt" => libc::SIGABRT,
        "sigalrm" => libc::SIGALRM,
        "sigterm" => libc::SIGTERM,
        "sigusr1" => libc::SIGUSR1,
        "sigusr2" => libc::SIGUSR2,
        "sigchld" => libc::SIGCHLD,
        "sigstop" => libc::SIGSTOP,
        "sigtstp" => libc::SIGTSTP,
        "sigcont" => libc::SIGCONT,
        "sigwinch" => libc::SIGWINCH,
        "siginfo" => return Ok(Atom::OK.into()),
        _ => return Err(badarg()),
    };
    let ok = match how {
        "ignore" => crate::os_signal::ignore(number),
        "default" => crate::os_signal::default(number),
        _ => crate::os_signal::handle(number),
    };
    if ok {
        Ok(Atom::OK.into())
    } else {
        Err(badarg())
    }
}

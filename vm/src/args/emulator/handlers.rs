//! What each flag of the emulator does: one function a flag, named in the table.
//!
//! A function takes the flag's value, checks it as BEAM does and keeps what matters. Those of
//! flags without a meaning here only check.

use enigma_otp::profile::TimeWarp;

use super::super::number::{Pair, atoi, scan_int, scan_pair, strtol};
use super::super::topology;
use super::*;

/// The smallest number of processes or ports.
const MIN_TABLE: i32 = 1024;
/// The smallest atom table.
const MIN_ATOMS: i64 = 8192;
/// The largest.
const MAX_ATOMS: i64 = i32::MAX as i64;
/// The largest small integer, which bounds `+hmax`.
const MAX_SMALL: i64 = (1 << 59) - 1;
/// The longest delay of `+zdntgc`, in seconds.
const MAX_NODE_TABLE_GC: i64 = 100_000_000;

type Result_ = Result<(), ParseStop>;

/// Reads `true` or `false`.
fn boolean(value: &[u8]) -> Option<bool> {
    match value {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// `N`, `N:Online` or `:Online`; `default` is what a missing or not positive number counts from.
fn counts(pair: Pair, current: (i32, i32), default: (i32, i32)) -> (i32, (i32, i32)) {
    let (total, online) = match pair {
        Pair::First(total) => (total, total.min(current.1)),
        Pair::Both(total, online) => (total, online),
        Pair::Second(online) => (default.0, online),
    };
    let from = |number: i32, base: i32| {
        if number > 0 {
            number
        } else {
            base.saturating_add(number)
        }
    };
    (total, (from(total, default.0), from(online, default.1)))
}

pub(in crate::args) fn schedulers(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    if t.attached().starts_with(b"D") {
        return bad!("bad or missing dirty scheduler specifier: ", t.whole());
    }
    let value = t.value()?;
    let Some(pair) = scan_pair(value) else {
        return bad!("bad amount of schedulers ", value);
    };
    let (total, (schedulers, online)) =
        counts(pair, (p.schedulers, p.online), (p.processors, p.available));
    (p.schedulers, p.online) = (schedulers, online);
    if !(1..=MAX_SCHEDULERS).contains(&schedulers) {
        return bad!(format!("bad amount of schedulers {total}"));
    }
    if !(1..=schedulers).contains(&online) {
        return bad!(format!(
            "bad amount of schedulers online {online} (total amount of schedulers {schedulers})"
        ));
    }
    Ok(())
}

pub(in crate::args) fn dirty_cpu(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let Some(pair) = scan_pair(value) else {
        return bad!("bad amount of dirty CPU schedulers ", value);
    };
    let (total, (dirty, online)) =
        counts(pair, (p.dirty, p.dirty_online), (p.processors, p.available));
    (p.dirty, p.dirty_online) = (dirty, online);
    if !(1..=MAX_SCHEDULERS).contains(&dirty) {
        return bad!(format!("bad amount of dirty CPU schedulers {total}"));
    }
    if !(1..=dirty).contains(&online) {
        return bad!(format!(
            "bad amount of dirty CPU schedulers online {online} \
             (total amount of dirty CPU schedulers {dirty})"
        ));
    }
    Ok(())
}

/// Percentages `P:Online`.
fn percentages(value: &[u8]) -> Option<(i32, i32)> {
    let pair = match scan_pair(value)? {
        Pair::First(total) => (total, total.min(100)),
        Pair::Both(total, online) => (total, online),
        Pair::Second(online) => (100, online),
    };
    (pair.0 >= 0 && pair.1 >= 0).then_some(pair)
}

pub(in crate::args) fn schedulers_percent(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match percentages(value) {
        Some(pair) => p.schedulers_percent = pair,
        None => return bad!("bad schedulers percentage specifier ", value),
    }
    Ok(())
}

pub(in crate::args) fn dirty_cpu_percent(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match percentages(value) {
        Some(pair) => p.dirty_percent = pair,
        None => return bad!("bad dirty CPU schedulers percentage specifier ", value),
    }
    Ok(())
}

pub(in crate::args) fn dirty_io(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = atoi(value);
    if !(1..=MAX_SCHEDULERS).contains(&number) {
        return bad!("bad number of dirty I/O schedulers ", value);
    }
    p.flags.threads.dirty_io = number as u32;
    Ok(())
}

pub(in crate::args) fn async_threads(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = atoi(value);
    if !(0..=1024).contains(&number) {
        return bad!("bad number of async threads ", value);
    }
    p.flags.threads.async_threads = number as u32;
    Ok(())
}

/// A limit that must be a number that is not negative.
fn plain_limit(t: &mut Taker<'_>, what: &str) -> Result_ {
    let value = t.value()?;
    match scan_int(value) {
        None => bad!("bad ", what, ": ", value),
        Some((number, _)) if number < 0 => bad!(format!("bad {what}: {number}")),
        Some(_) => Ok(()),
    }
}

pub(in crate::args) fn counter_groups(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    plain_limit(t, "decentralized counter groups limit")
}

pub(in crate::args) fn reader_groups(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    plain_limit(t, "reader groups limit")
}

/// A suggested size of stacks in kilowords.
fn stack(t: &mut Taker<'_>, least: i32, what: &str) -> Result_ {
    let value = t.value()?;
    if (least..=8192).contains(&atoi(value)) {
        return Ok(());
    }
    bad!("bad stack size for ", what, " threads ", value)
}

pub(in crate::args) fn async_stack(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    stack(t, 16, "async")
}

pub(in crate::args) fn scheduler_stack(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    stack(t, 20, "scheduler")
}

pub(in crate::args) fn dirty_cpu_stack(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    stack(t, 20, "dirty CPU scheduler")
}

pub(in crate::args) fn dirty_io_stack(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    stack(t, 20, "dirty IO scheduler")
}

pub(in crate::args) fn break_key(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let letter = match t.attached().first() {
        Some(letter @ (b'i' | b'c' | b'd')) => Some(*letter),
        _ => {
            let next = t.next().and_then(|next| next.first().copied());
            let next = next.filter(|letter| b"icd".contains(letter));
            if next.is_some() {
                t.at = t.flag + 1;
            }
            next
        }
    };
    match letter {
        Some(b'i') => p.flags.break_key = BreakKey::Ignore,
        Some(b'c') => p.interrupt = true,
        _ if p.flags.break_key == BreakKey::Ignore => {}
        _ => p.flags.break_key = BreakKey::Kill,
    }
    Ok(())
}

pub(in crate::args) fn time_correction(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let attached = t.attached();
    if !attached.is_empty() {
        match boolean(attached) {
            Some(on) => p.flags.time_correction = on,
            None => return bad!("Invalid time correnction value: ", attached),
        }
        return Ok(());
    }
    let next = t.next().and_then(boolean);
    if next.is_some() {
        t.at = t.flag + 1;
    }
    p.flags.time_correction = next.unwrap_or(false);
    Ok(())
}

pub(in crate::args) fn time_warp(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    p.flags.time_warp = match value {
        b"no_time_warp" => TimeWarp::None,
        b"single_time_warp" => TimeWarp::Single,
        b"multi_time_warp" => TimeWarp::Multi,
        _ => return bad!("Invalid time warp mode: ", value),
    };
    Ok(())
}

pub(in crate::args) fn debugging(_: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    Ok(())
}

pub(in crate::args) fn line_breakpoints(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    if boolean(value).is_some() {
        Ok(())
    } else {
        bad!("bad +Dibpl flag ", value)
    }
}

pub(in crate::args) fn no_crash_dump(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags.crash_dump = false;
    Ok(())
}

pub(in crate::args) fn ets_compress(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags.ets_compress = true;
    Ok(())
}

pub(in crate::args) fn ets_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let Ok(limit) = u32::try_from(atoi(value)) else {
        return bad!("bad maximum number of ets tables ", value);
    };
    p.flags.limits.ets_tables = limit;
    Ok(())
}

pub(in crate::args) fn ets_moves(_: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    Ok(())
}

pub(in crate::args) fn file_names(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let wrong = |letter: Option<&u8>| match letter {
        None | Some(b'w') => Ok(WrongNames::Warn),
        Some(b'i') => Ok(WrongNames::Ignore),
        Some(b'e') => Ok(WrongNames::Error),
        Some(_) => bad!(
            "bad type of warnings for wrongly coded filename: ",
            &value[1..]
        ),
    };
    p.flags.file_names = match value.first() {
        Some(b'u') => FileNames {
            encoding: FileNameEncoding::Utf8,
            wrong: wrong(value.get(1))?,
        },
        Some(b'l') => FileNames {
            encoding: FileNameEncoding::Latin1,
            wrong: WrongNames::Warn,
        },
        Some(b'a') => FileNames {
            encoding: FileNameEncoding::ByLocale,
            wrong: wrong(value.get(1))?,
        },
        _ => {
            return bad!(
                "bad filename encoding ",
                value,
                ", can be (l,u or a, optionally followed by w, i or e)"
            );
        }
    };
    Ok(())
}

pub(in crate::args) fn removed_heap_flag(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags
        .notices
        .extend_from_slice(b"The undocumented +H option has been removed (R10B-6).\n\n");
    Ok(())
}

/// A heap size: a positive number.
fn heap_size(t: &mut Taker<'_>) -> Result<u32, ParseStop> {
    let value = t.value()?;
    let number = atoi(value);
    if number > 0 {
        Ok(number as u32)
    } else {
        bad!("bad heap size ", value)
    }
}

pub(in crate::args) fn min_heap(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.min_words = heap_size(t)?;
    Ok(())
}

pub(in crate::args) fn min_bin_vheap(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.min_bin_vheap_words = heap_size(t)?;
    Ok(())
}

pub(in crate::args) fn dictionary_size(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = atoi(value);
    if number <= 0 {
        return bad!("bad initial process dictionary size ", value);
    }
    p.flags.heap.dictionary = (number as u32).next_power_of_two();
    Ok(())
}

pub(in crate::args) fn message_queue_data(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    p.flags.heap.message_queue = match value {
        b"on_heap" => MessageQueue::OnHeap,
        b"off_heap" => MessageQueue::OffHeap,
        _ => return bad!("Invalid message_queue_data flag: ", value),
    };
    Ok(())
}

/// A boolean value, or an error that starts with `what`.
fn flag_value(t: &mut Taker<'_>, what: &str) -> Result<bool, ParseStop> {
    let value = t.value()?;
    match boolean(value) {
        Some(on) => Ok(on),
        None => bad!(what, value),
    }
}

pub(in crate::args) fn max_heap_kill(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.max_kill = flag_value(t, "bad max heap kill ")?;
    Ok(())
}

pub(in crate::args) fn max_heap_log(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.max_log = flag_value(t, "bad max heap error logger ")?;
    Ok(())
}

pub(in crate::args) fn max_heap_binaries(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.heap.max_include_binaries = flag_value(t, "bad max heap include bins ")?;
    Ok(())
}

pub(in crate::args) fn max_heap(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = strtol(value).value;
    if !(0..=MAX_SMALL).contains(&number) {
        return bad!("bad max heap size ", value);
    }
    // BEAM compares the minimum with the value before this one.
    let heap = &mut p.flags.heap;
    if heap.max_words != 0 && heap.max_words < u64::from(heap.min_words) {
        return bad!(
            "max heap size (",
            value,
            format!(
                ") is not allowed to be smaller than min heap size ({})",
                heap.min_words
            )
        );
    }
    heap.max_words = number as u64;
    Ok(())
}

/// A number that `sscanf` reads, in a range.
fn scanned(
    t: &mut Taker<'_>,
    range: std::ops::RangeInclusive<i32>,
    what: &str,
) -> Result<i32, ParseStop> {
    let value = t.value()?;
    match scan_int(value).filter(|(number, _)| range.contains(number)) {
        Some((number, _)) => Ok(number),
        None => bad!("bad I/O ", what, " number: ", value),
    }
}

pub(in crate::args) fn poll_threads(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.poll_threads = scanned(t, 1..=MAX_SCHEDULERS, "poll threads")?;
    Ok(())
}

pub(in crate::args) fn poll_sets(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.poll_sets = scanned(t, 1..=i32::MAX, "pollset")?;
    Ok(())
}

pub(in crate::args) fn poll_threads_percent(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.poll_threads_percent = scanned(t, 0..=100, "poll thread percentage")?;
    Ok(())
}

pub(in crate::args) fn poll_sets_percent(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.poll_sets_percent = scanned(t, 0..=100, "pollset percentage")?;
    Ok(())
}

pub(in crate::args) fn scheduler_polling(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.scheduler_polling = flag_value(t, "bad +IOs boolean argument: ")?;
    Ok(())
}

pub(in crate::args) fn kernel_poll(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    t.value().map(drop)
}

pub(in crate::args) fn boot_module(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.boot_module = t.value()?.to_vec();
    Ok(())
}

pub(in crate::args) fn jit_dump(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.native.assembly = flag_value(t, "bad +JDdump flag ")?;
    Ok(())
}

pub(in crate::args) fn jit_perf(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let known = p.since >= (14, 0) || !matches!(value, b"fp" | b"no_fp");
    let text = std::str::from_utf8(value).unwrap_or_default();
    if known && p.flags.native.perf.apply(text) {
        return Ok(());
    }
    bad!("bad +JPperf support flag ", value)
}

pub(in crate::args) fn jit_perf_directory(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.native.perf_directory = Some(t.value()?.to_vec());
    Ok(())
}

pub(in crate::args) fn jit_cover(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match value {
        b"true" | b"false" | b"function" | b"function_counters" | b"line" | b"line_counters" => {
            Ok(())
        }
        _ => bad!("bad +JPcover flag ", value),
    }
}

pub(in crate::args) fn jit_single_map(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    flag_value(t, "bad +JMsingle support flag ").map(drop)
}

pub(in crate::args) fn no_line_info(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags.line_info = false;
    Ok(())
}

pub(in crate::args) fn port_signals(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match value {
        b"s" | b"a" | b"d" => Ok(()),
        _ => bad!("bad -n option ", value),
    }
}

pub(in crate::args) fn printable(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    p.flags.printable_unicode = match value {
        b"unicode" => true,
        b"latin1" => false,
        _ => return bad!("bad range of printable characters: ", value),
    };
    Ok(())
}

pub(in crate::args) fn async_dist(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.async_dist = flag_value(t, "bad async dist value ")?;
    Ok(())
}

/// The size of a table of processes or ports; `None` for `legacy`, which changes nothing here.
fn table(t: &mut Taker<'_>, what: &str) -> Result<Option<i32>, ParseStop> {
    let value = t.value()?;
    if value == b"legacy" {
        return Ok(None);
    }
    let number = strtol(value);
    let size = number.value as i32;
    if number.overflow || !(MIN_TABLE..=MAX_TABLE).contains(&size) {
        return bad!("bad number of ", what, " ", value);
    }
    Ok(Some(size))
}

pub(in crate::args) fn process_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.processes = table(t, "processes")?.unwrap_or(p.processes);
    Ok(())
}

pub(in crate::args) fn port_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    if let Some(size) = table(t, "ports")? {
        (p.ports, p.ports_given) = (size, true);
    }
    Ok(())
}

pub(in crate::args) fn compat_release(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let release = u32::try_from(atoi(value)).unwrap_or(0);
    if !(p.profile.oldest_compat..=p.profile.release).contains(&release) {
        return bad!("bad compatibility release number ", value);
    }
    p.flags.compat_release = release;
    Ok(())
}

/// Reads how schedulers are to be bound; `forced` if it is an error where there is no topology.
fn bind(p: &mut Parser<'_>, t: &mut Taker<'_>, forced: bool) -> Result_ {
    let value = t.value()?;
    // Who defines a topology, if only later, has the system not asked.
    let mut flags = t.args.iter().take_while(|a| a[..] != *b"--");
    let unread = p.flags.topology_unread || flags.any(|a| a.starts_with(b"-sct"));
    let why = match BindType::of_flag(value) {
        None => "' failed: invalid type",
        Some(_) if unread && p.flags.cpu_topology.is_none() => {
            if !forced {
                return Ok(());
            }
            "' failed: no cpu topology available"
        }
        Some(kind) => {
            p.flags.bind_type = kind;
            return Ok(());
        }
    };
    bad!("setting scheduler bind type '", value, why)
}

pub(in crate::args) fn bind_type(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    bind(p, t, true)
}

pub(in crate::args) fn try_bind_type(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    bind(p, t, false)
}

pub(in crate::args) fn topology_unread(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags.topology_unread = true;
    Ok(())
}

/// A threshold among `values`.
fn threshold(t: &mut Taker<'_>, values: &[&str], what: &str) -> Result_ {
    let value = t.value()?;
    if values.iter().any(|name| name.as_bytes() == value) {
        return Ok(());
    }
    bad!(what, value)
}

const BUSY_WAITS: &[&str] = &["none", "very_short", "short", "medium", "long", "very_long"];
const WAKEUPS: &[&str] = &["very_low", "low", "medium", "high", "very_high"];

pub(in crate::args) fn busy_wait(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, BUSY_WAITS, "bad scheduler busy wait threshold: ")
}

pub(in crate::args) fn busy_wait_dirty_cpu(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(
        t,
        BUSY_WAITS,
        "bad dirty CPU scheduler busy wait threshold: ",
    )
}

pub(in crate::args) fn busy_wait_dirty_io(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(
        t,
        BUSY_WAITS,
        "bad dirty IO scheduler busy wait threshold: ",
    )
}

pub(in crate::args) fn wakeup(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, WAKEUPS, "scheduler wakeup threshold: ")
}

pub(in crate::args) fn wakeup_dirty_cpu(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, WAKEUPS, "dirty CPU scheduler wakeup threshold: ")
}

pub(in crate::args) fn wakeup_dirty_io(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, WAKEUPS, "dirty IO scheduler wakeup threshold: ")
}

pub(in crate::args) fn wakeup_strategy(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    threshold(t, &["default", "legacy"], "scheduler wakeup strategy: ")
}

pub(in crate::args) fn wake_cleanup(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let values = ["very_lazy", "lazy", "medium", "eager", "very_eager"];
    threshold(t, &values, "scheduler wake cleanup threshold: ")
}

pub(in crate::args) fn ets_busy_wait(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let values = [BUSY_WAITS, &["extremely_long"]].concat();
    threshold(t, &values, "Invalid ets busy wait threshold: ")
}

pub(in crate::args) fn compact_load(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match boolean(value) {
        Some(_) => Ok(()),
        None => bad!("bad scheduler compact load value '", value, "'"),
    }
}

pub(in crate::args) fn balance_utilisation(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match boolean(value) {
        Some(_) => Ok(()),
        None => bad!("bad scheduler utilization balancing  value '", value, "'"),
    }
}

pub(in crate::args) fn cpu_topology(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    match topology::parse(value) {
        Ok(cpus) => p.flags.cpu_topology = Some(cpus),
        Err(why) => return bad!("bad cpu topology '", value, "': ", why),
    }
    Ok(())
}

pub(in crate::args) fn eager_io(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    t.value().map(drop)
}

pub(in crate::args) fn port_parallelism(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    p.flags.port_parallelism = flag_value(t, "bad port parallelism scheduling hint ")?;
    Ok(())
}

pub(in crate::args) fn forced_wakeup(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = strtol(value);
    if number.overflow || number.value < 0 {
        return bad!("bad scheduler forced wakeup interval ", value);
    }
    Ok(())
}

pub(in crate::args) fn atom_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = strtol(value);
    // Up to 27, BEAM cuts the number to 32 bits before it compares.
    let size = if p.since < (16, 0) {
        i64::from(number.value as i32)
    } else {
        number.value
    };
    if number.overflow || !(MIN_ATOMS..=MAX_ATOMS).contains(&size) {
        return bad!("bad atom table size ", value);
    }
    p.flags.limits.atoms = size as u32;
    Ok(())
}

pub(in crate::args) fn modified_timing(_: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    if (0..=9).contains(&atoi(value)) {
        return Ok(());
    }
    bad!("bad modified timing level ", value)
}

pub(in crate::args) fn verbose(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    p.flags
        .notices
        .extend_from_slice(b"warning: -v (only in debug compiled code)\n");
    Ok(())
}

pub(in crate::args) fn version(p: &mut Parser<'_>, _: &mut Taker<'_>) -> Result_ {
    Err(ParseStop::Version(version_line(p.erts_vsn).into_bytes()))
}

pub(in crate::args) fn warnings_as(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    p.flags.warnings_as = match value.first() {
        Some(b'i') => WarningsAs::Info,
        Some(b'e') => WarningsAs::Error,
        Some(b'w') => WarningsAs::Warning,
        _ => return bad!("unrecognized warning_map option ", value),
    };
    Ok(())
}

pub(in crate::args) fn dist_busy_limit(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let number = atoi(t.value()?);
    if !(1..=i32::MAX / 1024).contains(&number) {
        return bad!(format!("Invalid dbbl limit: {number}"));
    }
    p.flags.dist_busy_limit = number as u64 * 1024;
    Ok(())
}

pub(in crate::args) fn node_table_gc(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    if value == b"infinity" {
        p.flags.node_table_gc = None;
        return Ok(());
    }
    let number = strtol(value);
    let whole = number.used > 0 && number.used == value.len() && !number.overflow;
    if !whole || !(0..=MAX_NODE_TABLE_GC).contains(&number.value) {
        return bad!("Invalid delayed node table gc: ", value);
    }
    p.flags.node_table_gc = Some(number.value as u32);
    Ok(())
}

pub(in crate::args) fn outstanding_requests(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    let number = strtol(value);
    if number.overflow || !(1..=i64::from(MAX_TABLE)).contains(&number.value) {
        return bad!("Invalid outstanding requests limit ", value);
    }
    p.outstanding = Some(number.value as u32);
    Ok(())
}

pub(in crate::args) fn halt_flush_timeout(p: &mut Parser<'_>, t: &mut Taker<'_>) -> Result_ {
    let value = t.value()?;
    if value == b"infinity" {
        p.flags.halt_flush_timeout = None;
        return Ok(());
    }
    let number = strtol(value);
    if number.overflow || !(0..=i64::from(i32::MAX)).contains(&number.value) {
        return bad!("Invalid halt flush timeout ", value);
    }
    p.flags.halt_flush_timeout = Some(number.value as u32);
    Ok(())
}

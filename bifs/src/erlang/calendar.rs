//! Dates and times of day.

use crate::bifs;
use enigma_runtime::data::bignum;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, time};

bifs! { BIFS:
    "erlang" {
        "date"/0 Call => date;
        "time"/0 Call => time0;
        "localtime"/0 Call => localtime;
        "universaltime"/0 Call => universaltime;
        "posixtime_to_universaltime"/1 Call => posixtime_to_universaltime;
        "universaltime_to_posixtime"/1 Call => universaltime_to_posixtime;
        "universaltime_to_localtime"/1 Call => universaltime_to_localtime;
        "localtime_to_universaltime"/2 Call => localtime_to_universaltime;
    }
}

/// First year that is converted to seconds.
const FIRST_YEAR: i64 = 1600;
/// First year that is converted between time zones: times are 32-bit numbers where BEAM comes from.
const FIRST_YEAR_OF_ZONES: i64 = 1902;

/// A date and a time of day.
#[derive(Clone, Copy)]
struct Stamp {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".)
fn days_from_civil(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    (
        yoe + era * 400 + i64::from(m <= 2),
        m,
        doy - (153 * mp + 2) / 5 + 1,
    )
}

impl Stamp {
    fn from_posix(t: i64) -> Stamp {
        let (year, month, day) = civil_from_days(t.div_euclid(86_400));
        let s = t.rem_euclid(86_400);
        Stamp {
            year,
            month,
            day,
            hour: s / 3600,
            minute: s / 60 % 60,
            second: s % 60,
        }
    }

    fn to_posix(self) -> i64 {
        days_from_civil(self.year, self.month, self.day) * 86_400
            + self.hour * 3600
            + self.minute * 60
            + self.second
    }

    fn date(self, cx: &mut Ctx<'_>) -> Term {
        cx.heap()
            .tuple(&[self.year, self.month, self.day].map(Term::small))
    }

    fn time(self, cx: &mut Ctx<'_>) -> Term {
        cx.heap()
            .tuple(&[self.hour, self.minute, self.second].map(Term::small))
    }

    fn term(self, cx: &mut Ctx<'_>) -> Term {
        let (d, t) = (self.date(cx), self.time(cx));
        cx.tuple2(d, t)
    }

    /// Reads `{{Y, M, D}, {H, M, S}}` with a year from `first` on.
    fn read(t: Term, first: i64) -> Result<Stamp, Exit> {
        let three = |t: Term| -> Option<[i64; 3]> {
            let e = t.as_tuple_n::<3>()?;
            Some([e[0].as_small()?, e[1].as_small()?, e[2].as_small()?])
        };
        let &[d, t] = t.as_tuple_n::<2>().ok_or_else(badarg)?;
        let ([year, month, day], [hour, minute, second]) =
            three(d).zip(three(t)).ok_or_else(badarg)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let ok = (1..=12).contains(&month)
            && (1..=last).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second)
            && (first..i64::from(i32::MAX)).contains(&year);
        if ok {
            Ok(Stamp {
                year,
                month,
                day,
                hour,
                minute,
                second,
            })
        } else {
            Err(badarg())
        }
    }
}

/// The local time of a moment.
fn local(t: i64) -> Stamp {
    let t: libc::time_t = t;
    // SAFETY: the structure is plain numbers and a pointer, and the call fills it in.
    let tm = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        libc::localtime_r(&raw const t, &raw mut tm);
        tm
    };
    Stamp {
        year: i64::from(tm.tm_year) + 1900,
        month: i64::from(tm.tm_mon) + 1,
        day: i64::from(tm.tm_mday),
        hour: i64::from(tm.tm_hour),
        minute: i64::from(tm.tm_min),
        second: i64::from(tm.tm_sec.min(59)),
    }
}

fn now() -> i64 {
    time::system().div_euclid(1_000_000_000)
}

fn date(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(local(now()).date(cx))
}

fn time0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(local(now()).time(cx))
}

fn localtime(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(local(now()).term(cx))
}

fn universaltime(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Stamp::from_posix(now()).term(cx))
}

fn posixtime_to_universaltime(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = bignum::to_i64(a[0])
        .filter(|t| t.abs() < 1 << 55)
        .ok_or_else(badarg)?;
    Ok(Stamp::from_posix(t).term(cx))
}

fn universaltime_to_posixtime(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = Stamp::read(a[0], FIRST_YEAR)?.to_posix();
    Ok(cx.heap().int(t))
}

fn universaltime_to_localtime(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(local(Stamp::read(a[0], FIRST_YEAR_OF_ZONES)?.to_posix()).term(cx))
}

fn localtime_to_universaltime(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let s = Stamp::read(a[0], FIRST_YEAR_OF_ZONES)?;
    let dst = match a[1].as_atom() {
        Some(enigma_runtime::Atom::TRUE) => 1,
        Some(enigma_runtime::Atom::FALSE) => 0,
        Some(enigma_runtime::Atom::UNDEFINED) => -1,
        _ => return Err(badarg()),
    };
    // SAFETY: the structure is plain numbers and a pointer; the call reads and normalises it.
    let t = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        tm.tm_year = (s.year - 1900) as i32;
        tm.tm_mon = (s.month - 1) as i32;
        tm.tm_mday = s.day as i32;
        tm.tm_hour = s.hour as i32;
        tm.tm_min = s.minute as i32;
        tm.tm_sec = s.second as i32;
        tm.tm_isdst = dst;
        libc::mktime(&raw mut tm)
    };
    Ok(Stamp::from_posix(t).term(cx))
}

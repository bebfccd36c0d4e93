//! The module `math`.

use crate::bifs;
use enigma_runtime::bif::badarith;
use enigma_runtime::data::arith;
use enigma_runtime::{BifResult, Ctx, Term, badarg};

bifs! { BIFS:
    "math" {
        "acos"/1 Call => acos, pure FLOAT;
        "acosh"/1 Call => acosh, pure FLOAT;
        "asin"/1 Call => asin, pure FLOAT;
        "asinh"/1 Call => asinh, pure FLOAT;
        "atan"/1 Call => atan, pure FLOAT;
        "atan2"/2 Call => atan2, pure FLOAT;
        "atanh"/1 Call => atanh, pure FLOAT;
        "ceil"/1 Call => ceil, pure FLOAT;
        "cos"/1 Call => cos, pure FLOAT;
        "cosh"/1 Call => cosh, pure FLOAT;
        "erf"/1 Call => erf, pure FLOAT;
        "erfc"/1 Call => erfc, pure FLOAT;
        "exp"/1 Call => exp, pure FLOAT;
        "floor"/1 Call => floor, pure FLOAT;
        "fmod"/2 Call => fmod, pure FLOAT;
        "log"/1 Call => log, pure FLOAT;
        "log10"/1 Call => log10, pure FLOAT;
        "log2"/1 Call => log2, pure FLOAT;
        "pow"/2 Call => pow, pure FLOAT;
        "sin"/1 Call => sin, pure FLOAT;
        "sinh"/1 Call => sinh, pure FLOAT;
        "sqrt"/1 Call => sqrt, pure FLOAT;
        "tan"/1 Call => tan, pure FLOAT;
        "tanh"/1 Call => tanh, pure FLOAT;
    }
}

/// The C library's functions, which BEAM's results come from; the standard library's own may differ in
/// the last bit.
mod c {
    unsafe extern "C" {
        pub safe fn acos(x: f64) -> f64;
        pub safe fn acosh(x: f64) -> f64;
        pub safe fn asin(x: f64) -> f64;
        pub safe fn asinh(x: f64) -> f64;
        pub safe fn atan(x: f64) -> f64;
        pub safe fn atan2(y: f64, x: f64) -> f64;
        pub safe fn atanh(x: f64) -> f64;
        pub safe fn cos(x: f64) -> f64;
        pub safe fn cosh(x: f64) -> f64;
        pub safe fn erf(x: f64) -> f64;
        pub safe fn erfc(x: f64) -> f64;
        pub safe fn exp(x: f64) -> f64;
        pub safe fn fmod(x: f64, y: f64) -> f64;
        pub safe fn log(x: f64) -> f64;
        pub safe fn log10(x: f64) -> f64;
        pub safe fn log2(x: f64) -> f64;
        pub safe fn pow(x: f64, y: f64) -> f64;
        pub safe fn sin(x: f64) -> f64;
        pub safe fn sinh(x: f64) -> f64;
        pub safe fn tan(x: f64) -> f64;
        pub safe fn tanh(x: f64) -> f64;
    }
}

/// An argument as a float: no number is `badarg`, one that no float can hold `badarith`.
fn argument(t: Term) -> Result<f64, enigma_runtime::Exit> {
    if !t.is_number() {
        return Err(badarg());
    }
    arith::float_value(t).map_err(|_| badarith())
}

fn result(cx: &mut Ctx<'_>, f: f64) -> BifResult {
    if f.is_finite() {
        Ok(cx.heap().float(f))
    } else {
        Err(badarith())
    }
}

/// Makes BIFs of functions of one float.
macro_rules! unary {
    ($($name:ident => $f:expr;)*) => {
        $(fn $name(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
            let x = argument(a[0])?;
            result(cx, $f(x))
        })*
    };
}

/// Makes BIFs of functions of two floats.
macro_rules! binary {
    ($($name:ident => $f:expr;)*) => {
        $(fn $name(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
            let (x, y) = (argument(a[0])?, argument(a[1])?);
            result(cx, $f(x, y))
        })*
    };
}

unary! {
    acos => c::acos;
    acosh => c::acosh;
    asin => c::asin;
    asinh => c::asinh;
    atan => c::atan;
    atanh => c::atanh;
    ceil => f64::ceil;
    cos => c::cos;
    cosh => c::cosh;
    erf => c::erf;
    erfc => c::erfc;
    exp => c::exp;
    floor => f64::floor;
    log => c::log;
    log10 => c::log10;
    log2 => c::log2;
    sin => c::sin;
    sinh => c::sinh;
    sqrt => f64::sqrt;
    tan => c::tan;
    tanh => c::tanh;
}

binary! {
    atan2 => c::atan2;
    fmod => c::fmod;
    pow => c::pow;
}

//! Floats as text.

/// The shortest text that reads back as the same float, in Erlang's notation: as plain decimal or with
/// an exponent, whichever is shorter, as `float_to_list(F, [short])` of OTP 25 and later writes it.
pub fn shortest(x: f64) -> String {
    if x == 0.0 {
        return if x.is_sign_negative() { "-0.0".into() } else { "0.0".into() };
    }
    let sci = format!("{x:e}");
    let (mantissa, exp) = sci.split_once('e').unwrap_or((&sci, "0"));
    let exp: i32 = exp.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let with_exponent = {
        let (first, rest) = digits.split_at(1);
        let rest = if rest.is_empty() { "0" } else { rest };
        format!("{sign}{first}.{rest}e{exp}")
    };
    let n = digits.len() as i32;
    // Integers of 2^53 and more are never written out: the digits would claim more than is known.
    if x.abs() >= 9_007_199_254_740_992.0 {
        return with_exponent;
    }
    let plain = if exp < 0 {
        format!("{sign}0.{}{digits}", "0".repeat((-exp - 1) as usize))
    } else if exp + 1 >= n {
        format!("{sign}{digits}{}.0", "0".repeat((exp + 1 - n) as usize))
    } else {
        let (a, b) = digits.split_at((exp + 1) as usize);
        format!("{sign}{a}.{b}")
    };
    if plain.len() <= with_exponent.len() { plain } else { with_exponent }
}

#[cfg(test)]
mod tests {
    use super::shortest;

    #[test]
    fn picks_the_shorter_notation() {
        for (x, s) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e22, "1.0e22"),
            (123456.789, "123456.789"),
            (1e-7, "1.0e-7"),
            (1.0e5, "1.0e5"),
            (100.0, "100.0"),
            (-2.5e-10, "-2.5e-10"),
        ] {
            assert_eq!(shortest(x), s);
        }
    }
}

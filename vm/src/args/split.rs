//! Splitting a string into arguments: environment variables such as `ERL_FLAGS` and the
//! contents of `-args_file` files.
//!
//! White space separates. Single and double quotes keep everything up to the closing
//! quote, without escapes. A backslash outside of quotes keeps the next character. In
//! files, `#` outside of quotes starts a comment that ends with the line, even inside a word.

/// Splits `text`.
pub fn split(text: &[u8], comments: bool) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    // Text ends at the first zero byte, as every C string does.
    let end = text
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(text.len());
    let mut rest = text[..end].iter().copied().peekable();
    loop {
        while rest.next_if(|byte| is_space(*byte)).is_some() {}
        match rest.peek() {
            None => return words,
            Some(b'#') if comments => {
                while rest.next_if(|byte| *byte != b'\n').is_some() {}
                continue;
            }
            Some(_) => {}
        }
        let mut word = Vec::new();
        while let Some(byte) = rest.next_if(|byte| !(is_space(*byte) || comments && *byte == b'#'))
        {
            match byte {
                b'"' | b'\'' => word.extend(std::iter::from_fn(|| rest.next_if(|b| *b != byte))),
                b'\\' => word.extend(rest.next()),
                _ => word.push(byte),
            }
            if matches!(byte, b'"' | b'\'') {
                rest.next();
            }
        }
        words.push(word);
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_words() {
        let words = |text: &str, comments| -> Vec<String> {
            split(text.as_bytes(), comments)
                .into_iter()
                .map(|word| String::from_utf8(word).expect("text"))
                .collect()
        };
        for (text, comments, expected) in [
            ("", false, vec![]),
            ("  \t\n", false, vec![]),
            (" -a  b\tc\n", false, vec!["-a", "b", "c"]),
            (r#"-eval "io:nl()" x"#, false, vec!["-eval", "io:nl()", "x"]),
            (r#"a'b "c'd"e f"g"#, false, vec!["ab \"cde fg"]),
            (r"a\ b \\ \", false, vec!["a b", "\\", ""]),
            (r#""in \quotes""#, false, vec!["in \\quotes"]),
            ("''", false, vec![""]),
            ("\"unclosed x", false, vec!["unclosed x"]),
            ("# c\n-a #b\n c#d\ne '#'", true, vec!["-a", "c", "e", "#"]),
            ("# c", false, vec!["#", "c"]),
            ("a\0b", false, vec!["a"]),
        ] {
            assert_eq!(words(text, comments), expected, "{text:?}");
        }
    }
}

//! A function from its text, as `text` describes it.
//!
//! Only the form is checked here; what makes a function sound is the verifier's.

use super::names::Named;
use super::{Block, BlockData, Inst, InstData, Repr, SsaExit, SsaFunction, Target, Value, syntax};
use std::fmt;
use std::str::FromStr;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.message
        )
    }
}

impl std::error::Error for ParseError {}

/// Numbers of values, blocks and exits are less than this: what is not there still takes memory.
const LIMIT: u32 = 1 << 20;

/// Reads the text of one function.
pub fn parse(text: &str) -> Result<SsaFunction, ParseError> {
    let mut p = Parser {
        text,
        at: 0,
        before: 0,
        line_begins: true,
        any: false,
    };
    p.skip();
    let function = read_function(&mut p)?;
    match p.rest().is_empty() {
        true => Ok(function),
        false => Err(p.error_here("nothing is expected behind the function")),
    }
}

fn read_function(p: &mut Parser<'_>) -> Result<SsaFunction, ParseError> {
    p.word("function")?;
    let mut function = SsaFunction {
        name: match p.take_quoted('"')? {
            Some(name) => name,
            None => p.plain_name()?,
        },
        arity: 0,
        at: None,
        insts: Vec::new(),
        blocks: Vec::new(),
        values: Vec::new(),
        exits: Vec::new(),
        inlined: Vec::new(),
        place: None,
    };
    p.symbol('/')?;
    function.arity = p.number::<u8>()?.into();
    if p.take_word("at") {
        function.at = Some(p.number()?);
    }
    if p.take_word("inlines") {
        function.inlined.push(p.number()?);
        while p.take_symbol(',') {
            function.inlined.push(p.number()?);
        }
    }
    p.symbol('{')?;
    let mut seen_exits = Vec::new();
    while !p.take_symbol('}') {
        if p.looks_at("exit") {
            let n = p.numbered::<u32>("exit")? as usize;
            grow(&mut function.exits, n, SsaExit::default());
            grow(&mut seen_exits, n, false);
            if std::mem::replace(&mut seen_exits[n], true) {
                return Err(p.error_before("this exit is there already"));
            }
            function.exits[n] = read_exit(p)?;
        } else {
            read_block(p, &mut function)?;
        }
    }
    Ok(function)
}

fn grow<T: Clone>(all: &mut Vec<T>, index: usize, filler: T) {
    if all.len() <= index {
        all.resize(index + 1, filler);
    }
}

/// A block and its instructions, up to the next block, the exits or the end.
fn read_block(p: &mut Parser<'_>, function: &mut SsaFunction) -> Result<(), ParseError> {
    let block = p.block()?;
    grow(&mut function.blocks, block.index(), BlockData::default());
    if !function.blocks[block.index()].insts.is_empty() {
        return Err(p.error_before(format!("{block} is there already")));
    }
    let mut data = BlockData::default();
    if p.take_symbol('(') {
        loop {
            let param = p.value()?;
            p.symbol(':')?;
            let repr = p.repr()?;
            define(function, param, repr);
            data.params.push(param);
            if !p.take_symbol(',') {
                break;
            }
        }
        p.symbol(')')?;
    }
    data.cold = p.take_word("cold");
    p.symbol(':')?;
    while !(p.looks_at("block") || p.looks_at("exit") || p.rest().starts_with('}')) {
        let inst = read_inst(p, function)?;
        data.insts.push(Inst(function.insts.len() as u32));
        function.insts.push(inst);
    }
    if data.insts.is_empty() {
        return Err(p.error_here("an instruction is expected"));
    }
    function.blocks[block.index()] = data;
    Ok(())
}

fn define(function: &mut SsaFunction, value: Value, repr: Repr) {
    grow(&mut function.values, value.index(), Repr::Term);
    function.values[value.index()] = repr;
}

fn read_inst(p: &mut Parser<'_>, function: &mut SsaFunction) -> Result<InstData, ParseError> {
    let mut results = Vec::new();
    if p.looks_at("v") {
        loop {
            let result = p.value()?;
            let repr = match p.take_symbol(':') {
                true => p.repr()?,
                false => Repr::Term,
            };
            define(function, result, repr);
            results.push(result);
            if !p.take_symbol(',') {
                break;
            }
        }
        p.symbol('=')?;
    }
    let name = p.name()?;
    match syntax::read(&name, p)? {
        Some((op, args)) => Ok(InstData {
            op,
            args,
            results,
            place: None,
        }),
        None => Err(p.error_before(format!("there is no operation `{name}`"))),
    }
}

fn read_exit(p: &mut Parser<'_>) -> Result<SsaExit, ParseError> {
    p.symbol(':')?;
    p.word("pc")?;
    let mut exit = SsaExit {
        pc: p.number()?,
        ..SsaExit::default()
    };
    while p.take_symbol(',') {
        if p.take_word("under") {
            exit.under = Some(p.number()?);
            continue;
        }
        let registers = if p.looks_at("f") {
            &mut exit.floats
        } else {
            &mut exit.x
        };
        let number = match p.looks_at("f") {
            true => p.numbered("f")?,
            false => p.numbered("x")?,
        };
        p.symbol('=')?;
        registers.push((number, p.value()?));
    }
    Ok(exit)
}

/// A place in a text. White space and comments behind what has been read are read with it.
pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Where what was read last begins.
    before: usize,
    /// Is what comes next the first thing on its line?
    line_begins: bool,
    /// Has an operand of the instruction been read?
    any: bool,
}

fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// An error at what comes next.
    pub(super) fn error_here(&self, message: impl Into<String>) -> ParseError {
        self.error(self.at, message.into())
    }

    /// An error at what was read last.
    pub(super) fn error_before(&self, message: impl Into<String>) -> ParseError {
        self.error(self.before, message.into())
    }

    fn error(&self, at: usize, message: String) -> ParseError {
        let before = &self.text[..at];
        let line = before.rfind('\n').map_or(0, |n| n + 1);
        ParseError {
            line: before.matches('\n').count() + 1,
            column: before[line..].chars().count() + 1,
            message,
        }
    }

    fn expected(&self, what: impl fmt::Display) -> ParseError {
        self.error_here(format!("{what} is expected"))
    }

    /// Goes on behind the next `n` bytes.
    fn advance(&mut self, n: usize) -> &'a str {
        let read = &self.rest()[..n];
        self.before = self.at;
        self.at += n;
        self.skip();
        read
    }

    fn skip(&mut self) {
        self.line_begins = false;
        loop {
            let rest = self.rest().trim_start();
            let at = self.text.len() - rest.len();
            self.line_begins |= self.text[self.at..at].contains('\n');
            self.at = at;
            if !rest.starts_with(';') {
                return;
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    /// How many bytes the next name has.
    fn name_length(&self) -> usize {
        self.rest()
            .find(|c| !in_name(c))
            .unwrap_or(self.rest().len())
    }

    /// A name.
    pub(super) fn name(&mut self) -> Result<String, ParseError> {
        match self.name_length() {
            0 => Err(self.expected("a name")),
            n => Ok(self.advance(n).to_owned()),
        }
    }

    /// A function's name that needs no quotes.
    fn plain_name(&mut self) -> Result<String, ParseError> {
        match self.rest().find(['/', '{', '\n']) {
            None | Some(0) => Err(self.expected("a name")),
            Some(n) => Ok(self.advance(n).trim_end().to_owned()),
        }
    }

    /// Reads a symbol.
    pub(super) fn symbol(&mut self, symbol: char) -> Result<(), ParseError> {
        match self.take_symbol(symbol) {
            true => Ok(()),
            false => Err(self.expected(format_args!("`{symbol}`"))),
        }
    }

    /// Reads a symbol if it comes next.
    pub(super) fn take_symbol(&mut self, symbol: char) -> bool {
        let found = self.rest().starts_with(symbol);
        if found {
            self.advance(symbol.len_utf8());
        }
        found
    }

    /// Reads a word.
    pub(super) fn word(&mut self, word: &str) -> Result<(), ParseError> {
        match self.take_word(word) {
            true => Ok(()),
            false => Err(self.expected(format_args!("`{word}`"))),
        }
    }

    /// Reads a word if it comes next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = &self.rest()[..self.name_length()] == word;
        if found {
            self.advance(word.len());
        }
        found
    }

    /// Is a prefix with a number next?
    fn looks_at(&self, prefix: &str) -> bool {
        let name = &self.rest()[..self.name_length()];
        let digits = name.strip_prefix(prefix).unwrap_or("");
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    }

    /// A prefix with a number.
    pub(super) fn numbered<T: TryFrom<u32>>(&mut self, prefix: &str) -> Result<T, ParseError> {
        if !self.looks_at(prefix) {
            return Err(self.expected(format_args!("`{prefix}` with a number")));
        }
        let n = self.name_length();
        let digits = &self.advance(n)[prefix.len()..];
        let number = digits.parse().ok().filter(|n| *n < LIMIT);
        let number = number.and_then(|n| T::try_from(n).ok());
        number.ok_or_else(|| self.error_before("the number is too large"))
    }

    fn value(&mut self) -> Result<Value, ParseError> {
        self.numbered("v").map(Value)
    }

    fn block(&mut self) -> Result<Block, ParseError> {
        self.numbered("block").map(Block)
    }

    fn repr(&mut self) -> Result<Repr, ParseError> {
        let name = self.name()?;
        Repr::named(&name).ok_or_else(|| self.error_before("a representation is expected"))
    }

    /// A block and values for its parameters.
    pub(super) fn target(&mut self) -> Result<Target, ParseError> {
        let mut target = Target {
            block: self.block()?,
            args: Vec::new(),
        };
        if self.take_symbol('(') {
            loop {
                target.args.push(self.value()?);
                if !self.take_symbol(',') {
                    break;
                }
            }
            self.symbol(')')?;
        }
        Ok(target)
    }

    /// The text of a number: digits, with sign, point and exponent, or hexadecimal ones behind `0x`.
    pub(super) fn number_text(&mut self) -> Result<String, ParseError> {
        let rest = self.rest();
        let mut last = ' ';
        let length = rest.find(|c: char| {
            let sign = c == '-' && (last == ' ' || last == 'e');
            last = c;
            !(c.is_ascii_alphanumeric() || c == '.' || sign)
        });
        let length = length.unwrap_or(rest.len());
        let digit = rest
            .trim_start_matches('-')
            .starts_with(|c: char| c.is_ascii_digit());
        match digit && length > 0 {
            true => Ok(self.advance(length).to_owned()),
            false => Err(self.expected("a number")),
        }
    }

    /// A number.
    pub(super) fn number<T: FromStr>(&mut self) -> Result<T, ParseError> {
        let text = self.number_text()?;
        text.parse()
            .map_err(|_| self.error_before(format!("`{text}` is no number here")))
    }

    /// A text in quotes, if one comes next.
    pub(super) fn take_quoted(&mut self, quote: char) -> Result<Option<String>, ParseError> {
        if !self.rest().starts_with(quote) {
            return Ok(None);
        }
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.advance(at + 1);
                return Ok(Some(text));
            }
            text.push(match c {
                '\n' => break,
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some('n') => '\n',
                    Some('x') => {
                        let digits = chars.by_ref().map(|(_, c)| c);
                        let digits: String = digits.skip(1).take_while(|c| *c != '}').collect();
                        let code = u32::from_str_radix(&digits, 16).ok();
                        let c = code.and_then(char::from_u32);
                        c.ok_or_else(|| self.error_here("there is an unknown character in it"))?
                    }
                    Some(c) => c,
                    None => break,
                },
                c => c,
            });
        }
        Err(self.error_here("its second quote is missing"))
    }

    // ---- operands of an instruction ----

    /// The next operand is the first one.
    pub(super) fn begin_operands(&mut self) {
        self.any = false;
    }

    /// What stands before an operand.
    pub(super) fn separator(&mut self) -> Result<(), ParseError> {
        match std::mem::replace(&mut self.any, true) {
            true => self.symbol(','),
            false => Ok(()),
        }
    }

    /// Reads what stands before an operand, if what comes then satisfies the condition.
    fn separator_if(&mut self, condition: impl FnOnce(&Self) -> bool) -> bool {
        let start = (self.at, self.before, self.line_begins);
        let found = (!self.any || self.take_symbol(',')) && condition(self);
        if found {
            self.any = true;
        } else {
            (self.at, self.before, self.line_begins) = start;
        }
        found
    }

    /// Reads the word that an operand begins with, if it comes next.
    pub(super) fn take_item(&mut self, word: &str) -> bool {
        self.separator_if(|p| &p.rest()[..p.name_length()] == word) && self.take_word(word)
    }

    /// The name behind a point.
    pub(super) fn sub(&mut self) -> Result<String, ParseError> {
        self.symbol('.')?;
        self.name()
    }

    /// Values, as many as there are on the line.
    pub(super) fn args(&mut self) -> Result<Vec<Value>, ParseError> {
        let mut args = Vec::new();
        while self.separator_if(|p| p.looks_at("v") && !p.line_begins) {
            args.push(self.value()?);
        }
        Ok(args)
    }

    /// A list in brackets.
    pub(super) fn list<T>(
        &mut self,
        each: impl Fn(&mut Self) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        self.symbol('[')?;
        let mut all = Vec::new();
        if self.take_symbol(']') {
            return Ok(all);
        }
        loop {
            all.push(each(self)?);
            if !self.take_symbol(',') {
                break;
            }
        }
        self.symbol(']')?;
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Op;

    /// Every operation, every kind of question, and what is written differently from case to case.
    const ALL: &str = r#"function "a module:-f/1-\"fun\"-/0"/2 {
block0(v0: term, v1: term):
    v2 = const 5
    v3 = const -1152921504606846976
    v4 = const 'an \'atom\\\n\x{1}'
    v5 = const []
    v6 = const -1.5
    v7 = const 1e-30
    v8 = const 0xfe
    v9: float = float 0.1
    v10: float = float -0.0
    v11: float = float 0x7ff0000000000000
    v12 = load_y y4
    v13 = load_y y1
    store_y y2, v13
    store_catch y3, pc 120
    v14: bool = test.small v0
    v15: bool = test.kind.flat_map v0
    v16: bool = test.tuple_of 3, v0
    v17: bool = test.tagged 3, 'ok', v0
    v19: bool = compare.exact_ne v0, v1
    v20: bool = is_value v0
    v51: bool = test.tuple_above 3, v0
    v52: bool = is_function_of v0, v1
    v53: bool = bits_left_are 8, v0
    v54: bool = bits_left_multiple 8, v0
    v55 = bool_term v54
    v60: bool, v61 = start_match v0
    v62: bool, v63, v64, v65, v66 = match_bits [at_least 80 unit 8, integer 16 little signed, equal 8 97, integer 9, skip 7, part 24, rest], v61
    v67: bool = match_bits [exactly 4], v61
    v68: bool = match_string 72, 5, v61
    v69: bool, v70 = get_bits.integer 1, flags little signed, v61, v0
    v71: bool = get_bits.skip 8, v61, v0
    v72: bool, v73 = get_utf.utf16 flags little, v61
    v74 = rest_bits v61
    v75 = bits_position v61
    set_bits_position v61, v75
    v76 = create_bits [private_append all unit 8, integer size 16 unit 1 little signed, string 4 size 3 unit 8, binary unit 8], v0, v1, v74, v75, exit1
    v77 = writable_bits v0
    v78 = byte_size v0
    v79 = bit_size v0
    v21 = head v0
    v22 = tail v0
    v23 = element 2, v0
    v56 = element_at v0, v1
    v102 = list_length v0
    v103: bool, v104: word = try_word v0
    v105: word = word_const 18446744073709551615
    v106: word = word_arith.mul v104, v105
    v107: bool, v108: word = try_word_arith.rem v106, v105
    v109 = word_term 255, v108
    v57 = tuple_size v0
    v58 = own_pid
    v59 = map_get v0, v1
    v97 = map_size v0
    v98 = new_map v0, v1
    v99 = map_put v0, v1, v2, exit1
    v100 = map_update v0, v1, v2, exit1
    v24 = cons v0, v1
    v25 = tuple
    v26 = tuple v0, v1, v2
    v27 = update_tuple 4, [1, 3], v26, v0, v1
    v101 = overwrite_tuple 3, [2], v26, v0
    v28 = fun 7, v0
    v29 = fun 8
    v30 = arith.add v0, v1, exit1
    v31 = try_arith.bsl v0, v1
    v32: float = unbox v0, exit1
    v33: float = to_float v0, exit1
    v34 = box v33
    v35: float = float_arith.div v32, v33, exit1
    v36: float = float_negate v35
    v81 = small_arith.add v0, v1
    v82: bool, v83 = try_small_arith.mul v0, v1
    v84: bool = are_small v0, v1, v2
    v85: bool = compare_small.lt v0, v1
    v86: bool = compare_float.ge v35, v36
    v87: bool, v88: float = try_unbox v0
    v89: bool, v90: float = try_to_float v0
    v91: float = small_to_float v0
    v92: float = raw_float_arith.sub v35, v36
    v93: bool = is_finite v92
    v97 = guard_bif 'erlang':'abs'/1, v0
    allocate slots 3, heap 4, clear [y0, y2], exit0
    allocate slots 1, heap 0, exit1
    reserve heap 2, exit1
    drop slots 1
    build v0, v1, next 13
    push_return next 16777229
    v40 = call local 2, v0, next 14
    v41 = call 'lists':'map'/2, v0, v1, next 15
    v42 = call_fun v0, v1, next 16, exit1
    v94: code = fun_code 1, v1
    v95 = call_fun_at v94, v0, v1, next 16, exit1
    v96 = call_apply v0, v1, v2, next 16, exit1
    v43 = call_bif 'erlang':'+'/2, v0, v1, next 17, exit1
    v80 = call_step next 18, exit1
    v44: bool, v45, v46: float = step exit0, next 20, other 30, writes [x0], writes_floats [f2]
    step exit2, next 21
    branch v44, block1(v0, v32), block2

block1(v47: term, v48: float) cold:
    switch v47, ['ok': block2, 3: block3(v0), []: block1(v47, v48)], block4

block2:
    switch_arity v0, [2: block3(v0), 3: block4], block5

block3(v49: term):
    return v49

block4:
    tail_call local 1, drop 2, v0, v1

block5:
    tail_call 'm':'f'/0, drop 0

block6:
    tail_call_fun drop 1, v0, v1, exit1

block8 cold:
    leave exit0

block9:
    again v0, v92, block0(v0, v92)

block10(v50: bool):
    switch v0, [], block9

block11:
    jump block10(v18)

block12:
    tail_call_apply drop 1, v0, v1, v2, exit1

exit0: pc 17, x0 = v0, x3 = v4, f0 = v9
exit1: pc 20, under 12
exit2: pc 40, f1 = v9
}
"#;

    #[test]
    fn what_is_printed_is_read_back() {
        let function = parse(ALL).expect("it is a function");
        assert_eq!(function.to_string(), ALL);
        let again = parse(&function.to_string()).expect("it is a function");
        assert_eq!(again.to_string(), ALL);
        assert_eq!(again.name, "a module:-f/1-\"fun\"-/0");
        assert_eq!(again.exits.len(), 3);
    }

    #[test]
    fn every_operation_is_in_the_text() {
        let function = parse(ALL).expect("it is a function");
        let found: Vec<&str> = function.insts.iter().map(|i| i.op.name()).collect();
        for name in syntax::NAMES {
            assert!(found.contains(name), "{name}");
        }
    }

    #[test]
    fn every_name_is_read_back() {
        let mut lines = Vec::new();
        lines.extend(names::<crate::ir::Arith>("v1 = try_arith", "v0, v0"));
        lines.extend(names::<crate::ir::Comparison>(
            "v1: bool = compare",
            "v0, v0",
        ));
        lines.extend(names::<crate::ir::FloatArith>(
            "v1: float = float_arith",
            "v0, v0, exit0",
        ));
        lines.extend(names::<enigma_runtime::term::Kind>(
            "v1: bool = test.kind",
            "v0",
        ));
        let plain = syntax::plain_questions();
        lines.extend(plain.map(|name| format!("v1: bool = test.{name} v0")));
        for line in lines {
            let text = format!("function m:f/0 {{\nblock0:\n    {line}\n}}\n");
            assert_eq!(parse(&text).expect("it is a function").to_string(), text);
        }
    }

    fn names<T: Named>(before: &str, behind: &str) -> Vec<String> {
        T::ALL
            .iter()
            .map(|x| format!("{before}.{} {behind}", x.name()))
            .collect()
    }

    #[test]
    fn layout_is_free_and_comments_are_left_out() {
        let text = "; one\nfunction m:f / 1{block0 ( v0:term ):return v0 ; two\n}; three";
        let function = parse(text).expect("it is a function");
        assert!(matches!(function.insts[0].op, Op::Return));
        assert_eq!(
            function.to_string(),
            "function m:f/1 {\nblock0(v0: term):\n    return v0\n}\n"
        );
    }

    #[test]
    fn errors_say_where() {
        let in_block = |line: &str| format!("function m:f/0 {{\nblock0:\n    {line}\n}}\n");
        for (text, expected) in [
            ("".to_owned(), "line 1, column 1: `function` is expected"),
            (
                "function m:f {".to_owned(),
                "line 1, column 14: `/` is expected",
            ),
            (
                "function m:f/0 {\n\n".to_owned(),
                "line 3, column 1: `block` with a number is expected",
            ),
            (
                in_block("leav exit0"),
                "line 3, column 5: there is no operation `leav`",
            ),
            (
                in_block("v0 = arith.plus v1, v2, exit0"),
                "line 3, column 16: `plus` is not known here",
            ),
            (
                in_block("v0 = test.even v1"),
                "line 3, column 15: `even` is no question",
            ),
            (
                in_block("v0 = arith.add v1, v2"),
                "line 4, column 1: `,` is expected",
            ),
            (
                in_block("v0 = arith.add v1 v2, exit0"),
                "line 3, column 23: `,` is expected",
            ),
            (
                in_block("v0 = const 1152921504606846976"),
                "line 3, column 16: `1152921504606846976` is no word",
            ),
            (
                in_block("v0 = const 'ok"),
                "line 3, column 16: its second quote is missing",
            ),
            (
                in_block("v0 = load_y y70000"),
                "line 3, column 17: the number is too large",
            ),
            (
                in_block("v0: number = const 1"),
                "line 3, column 9: a representation is expected",
            ),
            (
                in_block("jump block0(v1, )"),
                "line 3, column 21: `v` with a number is expected",
            ),
            (
                in_block("v1, = const 1"),
                "line 3, column 9: `v` with a number is expected",
            ),
            (
                in_block("leave exit0\nexit0: pc 1\nexit0: pc 1"),
                "line 5, column 1: this exit is there already",
            ),
            (
                in_block("return v0\nblock0:\nreturn v0"),
                "line 4, column 1: block0 is there already",
            ),
            (in_block(""), "line 4, column 1: an instruction is expected"),
            (
                in_block("return v0\n}}"),
                "line 4, column 2: nothing is expected behind the function",
            ),
        ] {
            let error = parse(&text).expect_err(&text);
            assert_eq!(error.to_string(), expected, "{text}");
        }
    }
}

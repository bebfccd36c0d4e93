//! The module `records`: native records of OTP 29.

use crate::bifs;
use crate::erlang::guard::need_map;
use enigma_runtime::code::records;
use enigma_runtime::data::{map, record};
use enigma_runtime::term::{Kind, list};
use enigma_runtime::{Atom, BifResult, Ctx, Exit, Term, badarg};

bifs! { BIFS:
    "records" {
        "create"/4 Call => create;
        "get"/2 Call => get;
        "get_definition"/2 Call => get_definition;
        "get_field_names"/1 Call => get_field_names;
        "get_module"/1 Call => get_module;
        "get_name"/1 Call => get_name;
        "is_exported"/1 Call => is_exported;
        "update"/4 Call => update;
    }
}

fn bad_record(cx: &mut Ctx<'_>, value: Term) -> Exit {
    Exit::error(records::bad_record(cx.heap(), value))
}

fn is_record(t: Term) -> bool {
    t.is_kind(Kind::Record)
}

/// The value of the one option there is.
fn exported_option(options: Term) -> Result<bool, Exit> {
    let value =
        map::get(options, Atom::new("is_exported").into()).filter(|_| map::size(options) == 1);
    value.and_then(Term::as_bool).ok_or_else(badarg)
}

fn create(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let [module, name, fields, options] = [a[0], a[1], a[2], a[3]];
    let Some((m, n)) = module.as_atom().zip(name.as_atom()) else {
        return Err(bad_record(cx, name));
    };
    let exported = exported_option(need_map(cx, options)?)?;
    let mut names: Vec<Atom> = Vec::new();
    let mut values: Vec<Term> = Vec::new();
    for field in list::to_vec(fields).ok_or_else(badarg)? {
        let &[key, value] = field.as_tuple_n().ok_or_else(badarg)?;
        let Some(key) = key.as_atom() else {
            let definition = record::intern(m, n, exported, &[]);
            return Err(Exit::error(records::bad_field(cx.heap(), definition, key)));
        };
        if names.contains(&key) {
            return Err(badarg());
        }
        names.push(key);
        values.push(value);
    }
    Ok(record::make(
        cx.heap(),
        record::intern(m, n, exported, &names),
        &values,
    ))
}

fn get(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let [key, value] = [a[0], a[1]];
    if !is_record(value) {
        return Err(badarg());
    }
    record::position(value, key)
        .map(|i| record::values(value)[i])
        .ok_or_else(badarg)
}

/// `{#{is_exported => Boolean}, [Field | {Field, Default}]}`.
fn get_definition(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (module, name) = a[0].as_atom().zip(a[1].as_atom()).ok_or_else(badarg)?;
    let heap = cx.heap();
    records::with_definition(module, name, |d| {
        let d = d.ok_or_else(badarg)?;
        let exported = (Atom::new("is_exported").into(), Term::bool(d.exported));
        let options = map::from_pairs(heap, &[exported]);
        let fields: Vec<Term> = d
            .fields
            .iter()
            .map(|&(field, default)| match default {
                Some(v) => heap.tuple(&[field.into(), v]),
                None => field.into(),
            })
            .collect();
        let fields = heap.list(&fields);
        Ok(heap.tuple(&[options, fields]))
    })
}

fn get_field_names(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !is_record(a[0]) {
        return Err(bad_record(cx, a[0]));
    }
    Ok(cx.heap().list(record::field_names(a[0])))
}

fn get_module(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if is_record(a[0]) {
        Ok(record::module(a[0]))
    } else {
        Err(badarg())
    }
}

fn get_name(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if is_record(a[0]) {
        Ok(record::name(a[0]))
    } else {
        Err(badarg())
    }
}

fn is_exported(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !is_record(a[0]) {
        return Err(bad_record(cx, a[0]));
    }
    Ok(Term::bool(record::is_exported(a[0])))
}

fn update(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let [source, module, name, changes] = [a[0], a[1], a[2], a[3]];
    if !is_record(source) {
        return Err(bad_record(cx, source));
    }
    if !record::is_named(source, module, name) {
        return Err(bad_record(cx, name));
    }
    let changes: Vec<(Term, Term)> = map::iter(need_map(cx, changes)?).collect();
    records::update(cx.heap(), source, &changes).map_err(Exit::error)
}

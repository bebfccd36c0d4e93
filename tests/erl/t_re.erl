%% Regular expressions.
-module(t_re).
-include("diff.hrl").

r(S, P) -> re:run(S, P).
r(S, P, O) -> re:run(S, P, O).
l(S, P) -> re:run(S, P, [{capture, all, list}]).
g(S, P) -> re:run(S, P, [global, {capture, all, list}]).

cases() ->
    [{literal, fun() -> [r("hello world", "world"), r("hello", "x"), r(<<"abc">>, <<"b">>), r("", "")] end},
     {classes, fun() -> [l("abc123", "[0-9]+"), l("abc123", "[^0-9]+"), l("a_b", "\\w+"), l(" \tx", "\\s+"), l("x-y", "\\W"), l("12a", "\\d+"), l("ab", "[[:alpha:]]+"), l("]", "[]]")] end},
     {quantifiers, fun() -> [l("aaaa", P) || P <- ["a*", "a+", "a?", "a{2}", "a{2,}", "a{1,3}", "a*?", "a+?", "a{2,3}?", "b*"]] end},
     {groups, fun() -> [l("john smith", "(\\w+) (\\w+)"), l("ab", "(a)|(b)"), l("abab", "(ab)+"), l("abc", "(?:a)(b)"), l("abc", "(?<x>b)")] end},
     {alternation, fun() -> [l("foobar", "foo|bar"), l("bar", "foo|bar"), l("foobar", "(foo|foob)ar"), l("cat", "c(a|o|u)t")] end},
     {anchors, fun() -> [r("abc", "^b"), r("abc", "^a"), r("abc", "c$"), r("a\nb", "^b"), r("a\nb", "^b", [multiline]), r("ab\n", "b$"), r("ab\n", "b\\z"), r("foo bar", "\\bbar\\b")] end},
     {backrefs, fun() -> [l("abcabc", "(abc)\\1"), l("abcabd", "(abc)\\1"), l("aa bb", "(\\w)\\1"), l("xyxy", "(?<n>xy)\\k<n>")] end},
     {lookaround, fun() -> [l("foobar", "foo(?=bar)"), l("foobaz", "foo(?!bar)"), l("price 100", "(?<=price )\\d+"), l("ab", "(?<!a)b")] end},
     {flags, fun() -> [r("ABC", "abc", [caseless]), r("a\nb", "a.b"), r("a\nb", "a.b", [dotall]), r("abc", "a b c", [extended]), r("aab", "a+", [ungreedy]), r("xabc", "abc", [anchored]), l("ABC", "(?i)abc")] end},
     {global, fun() -> [g("a1b22c333", "[0-9]+"), g("abc", "x"), g("aaa", ""), g("abab", "(a)(b)"), r("aXbX", "X", [global])] end},
     {capture, fun() -> [r("abc123", "([a-z]+)([0-9]+)", [{capture, C, list}]) || C <- [all, first, all_but_first, none, [1], [2, 1], [0, 5]]] end},
     {capture_types, fun() -> [r("abc", "b", [{capture, all, T}]) || T <- [index, list, binary]] end},
     {capture_named, fun() -> [r("key=val", "(?<k>\\w+)=(?<v>\\w+)", [{capture, [k, v], binary}]), r("key=val", "(?<k>\\w+)=(?<v>\\w+)", [{capture, all_names, list}])] end},
     {capture_unset, fun() -> [r("b", "(a)?(b)", [{capture, all, T}]) || T <- [index, list, binary]] ++ [r("a", "(a)(b)?", [{capture, all, list}])] end},
     {offset, fun() -> [r("abcabc", "b", [{offset, 2}]), r("abc", "^a", [{offset, 1}])] end},
     {unicode, fun() -> [r([1234, 1235], [1235], [unicode]), r("aé€z"  , "€", [unicode, {capture, all, list}]), r(<<"é"/utf8>>, ".", [unicode, {capture, all, binary}]), r(<<"é"/utf8>>, ".", [{capture, all, binary}]), r("É", "é", [unicode, caseless])] end},
     {unicode_props, fun() -> [r("aB1 é", P, [unicode, {capture, all, list}]) || P <- ["\\p{Lu}", "\\p{Ll}+", "\\p{N}", "\\P{L}", "\\p{Latin}+"]] end},
     {unicode_bad, fun() -> cr(fun() -> re:run(<<255, 254>>, "a", [unicode]) end) end},
     {compile, fun() -> {ok, P} = re:compile("a(b)c"), {element(1, P), l("xabcx", P), r("abc", P, [{capture, [1]}])} end},
     {compile_bad, fun() -> [element(1, re:compile(P)) || P <- ["(", "[", "*", "a{2,1}", "\\", "(?<n", "[z-a]", "(?P<a", ")"]] end},
     {compile_bad_25_27, fun() -> case erlang:system_info(otp_release) < "28" of true -> [re:compile(P) || P <- ["(", "[", "*", "a{2,1}", "[z-a]", ")"]]; false -> new end end},
     {run_bad, fun() -> [cr(fun() -> re:run(id(abc), "a") end), cr(fun() -> re:run("a", id(foo)) end), cr(fun() -> re:run("a", "(") end), cr(fun() -> re:run("a", "a", [foo]) end)] end},
     {replace, fun() -> [re:replace("hello world", "o", "0", O ++ [{return, list}]) || O <- [[], [global]]] ++ [re:replace("abc", "b", "[&]", [{return, list}]), re:replace("abc", "(b)", "<\\1>", [{return, binary}]), re:replace("abc", "b", "\\&", [{return, list}]), re:replace("a.b.c", "\\.", "", [global, {return, list}]), re:replace("abc", "x", "y", [{return, list}]), re:replace("ab", "(a)(b)", "\\2\\1", [{return, list}]), re:replace("ab", "(a)(b)", "\\g{2}\\g1", [{return, list}])] end},
     {replace_iodata, fun() -> iolist_to_binary(re:replace("abcabc", "b", "XX", [global])) end},
     {replace_empty, fun() -> [re:replace("abc", "", "-", [global, {return, list}]), re:replace("abc", "x*", "-", [global, {return, list}])] end},
     {split, fun() -> [re:split("a,b,c", ",", [{return, list}]), re:split("a1b22c", "[0-9]+", [{return, list}]), re:split("a,b,c", "(,)", [{return, list}]), re:split("a,b,,c,,", ",", [{return, list}, trim]), re:split("abc", "", [{return, list}]), re:split("a b c", " ", [{parts, 2}, {return, list}]), re:split("ab12cd", "([0-9])([0-9])", [group, {return, list}])] end},
     {split_binary, fun() -> re:split(<<"a-b-c">>, "-") end},
     {possessive_atomic, fun() -> [l("aaab", "a++b"), l("aaa", "a++a"), l("abc", "(?>a|ab)c"), l("foobar", "(?>fo*)bar")] end},
     {conditional, fun() -> [l("(a)", "(\\()?a(?(1)\\))"), l("a", "(\\()?a(?(1)\\))"), l("(a", "^(\\()?a(?(1)\\))$")] end},
     {recursion, fun() -> [l("(a(b)c)", "\\((?:[^()]|(?R))*\\)"), l("aaabbb", "(a(?1)?b)")] end},
     {comments, fun() -> [l("abc", "a(?#comment)b"), r("abc", "a # c\n b", [extended])] end},
     {escapes, fun() -> [l("a.b", "a\\.b"), l("tab\there", "\\t"), l("\x41", "\\x41"), l("a+b", "\\Qa+b\\E"), l("A", "\\101")] end},
     {newlines, fun() -> [r("a\r\nb", "a$", [multiline]), r("a\r\nb", "a$", [multiline, {newline, crlf}]), r("a\rb", ".*", [{newline, cr}, {capture, all, list}]), r("a\nb", "a\\Rb")] end},
     {backtracking_limit, fun() -> cr(fun() -> re:run(lists:duplicate(30, $a), "(a+)+$b", [report_errors, {match_limit, 1000}]) end) end},
     {catastrophic, fun() -> r(lists:duplicate(18, $a) ++ "b", "(a+)+$") end},
     {long_subject, fun() -> S = lists:duplicate(100000, $a) ++ "b", r(S, "b") end},
     {long_global, fun() -> {match, L} = re:run(binary:copy(<<"ab12 ">>, 2000), "[0-9]+", [global, {capture, first, binary}]), {length(L), hd(L), lists:last(L)} end},
     {word_count, fun() -> {match, L} = g("the cat and the dog and the bird", "\\w+"), lists:sort(maps:to_list(lists:foldl(fun([W], M) -> maps:update_with(W, fun(N) -> N + 1 end, 1, M) end, #{}, L))) end},
     {email, fun() -> [l(S, "^([\\w.]+)@([\\w]+(?:\\.[\\w]+)+)$") || S <- ["a.b@c.de", "bad@", "x@y.z.w"]] end},
     {date, fun() -> l("on 2024-02-29 at", "(\\d{4})-(\\d{2})-(\\d{2})") end},
     {inspect, fun() -> {ok, P} = re:compile("(?<b>x)(?<a>y)"), re:inspect(P, namelist) end},
     {notempty, fun() -> [r("abc", "x*", [notempty]), r("abc", "x*"), r("abc", "a*", [notempty_atstart])] end},
     {firstline_bol, fun() -> [r("a\nb", "b", [firstline]), r("abc", "^a", [notbol]), r("abc", "c$", [noteol])] end},
     {dollar_endonly, fun() -> [r("a\n", "a$", []), r("a\n", "a$", [dollar_endonly])] end},
     {dupnames, fun() -> r("b", "(?<x>a)|(?<x>b)", [dupnames, {capture, [x], list}]) end},
     {iolist_subject, fun() -> [r(["ab", [<<"cd">>]], "bc"), l([<<"x">>, "y"], "xy")] end}].

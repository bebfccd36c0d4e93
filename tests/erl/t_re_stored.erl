%% Patterns that BEAM has compiled, as Elixir's compiler puts them into modules.
%% releases: 25 27
-module(t_re_stored).
-include("diff.hrl").

%% Source, options, and what BEAM's re:compile/2 makes of them.
stored() ->
    [
     {"^(a|b)+c$", [], "RVJDUFoAAAAQAAAAQQAAAP//////////AABjAAAAAQAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAFhuFAAcAAR1hdwAFHWJ5AAwdYxl4ABYA"},
     {"(?<head>)\\$[a-z]+(?<tail>)", [], "RVJDUIkAAAAAAAAAQQAAAP//////////AAAkAAAAAgAAAEAABwACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABaGVhZAAAAnRhaWwAgwA3hQAFAAF4AAUdJG4AAAAAAAAAAAAAAAD+//8HAAAAAAAAAAAAAAAAAAAAAGuFAAUAAngABXgANwA="},
     {"(a|bc){2,4}?d", [caseless], "RVJDUJUAAAABAAAAwQAAAP//////////AABkAAAAAQAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAUYUABwABHmF3AAceYh5jeAAOhQAHAAEeYXcABx5iHmN4AA6TgwAmhQAHAAEeYXcABx5iHmN4AA6ThQAHAAEeYXcABx5iHmN4AA54ACYeZHgAUQA="},
     {"^(b+|a){1,2}c", [], "RVJDUGkAAAAQAAAAQQAAAP//////////AABjAAAAAQAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAJRuFAAcAASNidwAFHWF4AAyShQAHAAErYncABR1heAAMHWN4ACUA"},
     {"(ab){0,3}x", [], "RVJDUHwAAAAAAAAAQQAAAP//////////AAB4AAAAAQAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAOJKDAC+FAAkAAR1hHWJ4AAmSgwAchQAJAAEdYR1ieAAJkoUACQABHWEdYngACXgAHHgALx14eAA4AA=="},
     {"(x){3,}", [], "RVJDUGUAAAAAAAAAUQAAAP//////////eAB4AAAAAQAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAIYUABwABHXh4AAeFAAcAAR14eAAHhQAHAAEdeHkAB3gAIQA="},
     {"[^a-f\\d]+|\\W", [], "RVJDUG0AAAAAAAAAAQAAAP//////////AAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAJW////////8A/P////+B/////////////////////////2t3AAQKeAApAA=="},
     {"\\bword\\b.*?\\R", [dotall], "RVJDUFQAAAAEAAAAUQAAAP//////////dwBkAAEAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAEAUddx1vHXIdZAVWDRF4ABAA"},
     {"^.+$", [multiline], "RVJDUEsAAAACAAAAAQEAAP//////////AAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMABxxXDBp4AAcA"},
     {"(?>a+)b|(?:cd)*+e", [], "RVJDUGEAAAAAAAAAAQAAAP//////////AAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMADYIABStheAAFHWJ3ABCUhAAHHWMdZHsABx1leAAdAA=="},
     {"(?<=ab|c)d(?!e)(?=f)", [], "RVJDUG4AAAAAAAAAEQAAAP//////////ZAAAAAIAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAKn8ACnwAAh1hHWJ3AAh8AAEdY3gAEh1kfgAFHWV4AAV9AAUdZngABXgAKgA="},
     {"(?|(a)x|(b)y)(c)\\1\\2", [], "RVJDUHgAAAAAAAAAQQAAAP//////////AABjAAAAAgACAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMANIMAD4UABwABHWF4AAcdeHcAD4UABwABHWJ4AAcdeXgAHoUABwACHWN4AAdxAAFxAAJ4ADQA"},
     {"(\\((?:[^()]|(?1))*\\))", [], "RVJDUIEAAAAAAAAAUQAAAP//////////KAApAAAAAQAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAPYUANwABHSiSiAAkb////////P//////////////////////////////////dwAGdQADeQAqHSl4ADd4AD0A"},
     {"^(?:(a)|b)(?(1)c|d)$", [], "RVJDUG4AAAAQAAAAAQAAAP//////////AAAAAAAAAQABAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAKhuDAA2FAAcAAR1heAAHdwAFHWJ4ABKHAAiNAAEdY3cABR1keAANGXgAKgA="},
     {"(?<n>x)|(?<n>y)\\k<n>", [dupnames], "RVJDUHcAAAAAAAgAAQAAAP//////////AAAAAAAAAgACAEAABAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABbgAAAm4AgwANhQAHAAEdeHgAB3cAEoUABwACHXl4AAdzAAAAAngAHwAAKgD/d4EAAAAAAAA="},
     {"\\p{Lu}\\p{Ll}+[\\p{Greek}x-z]?", [unicode], "RVJDUHcAAAAACAAAAQAAAP//////////AAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAMxADCVcQAwVwACgGAAAAAAAAAAAAAAAAAAAABwAAAAAAAAAAAAAAAAAAAAADBBMAbHgAMwA="},
     {"k[^k]\\x{20ac}", [unicode,caseless], "RVJDUFEAAAABCAAAAQAAAP//////////AAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMADRAJRw8JRx7igqx4AA0A"},
     {"[^\\x{100}-\\x{200}]+", [unicode], "RVJDUFIAAAAACAAAAQAAAP//////////AAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMADnAACgECxIDIgABreAAOAA=="},
     {"\\w+\\s\\d[[:alpha:]]", [unicode,ucp], "RVJDUFkAAAAACAAgAQAAAP//////////AAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAFV8QCAAQBgAQAw1wAAgEAwIBAHgAFQA="},
     {"a{2,5}b{3}[cd]{1,2}(?i)e*f??", [], "RVJDUH0AAAAAAAAAUQAAAP//////////YQBiAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAOSkAAmEtAANhKQADYm4AAAAAAAAAAAAAAAAYAAAAAAAAAAAAAAAAAAAAAAAAAG0AAQACN2UzZngAOQA="},
     {"a(*SKIP)b|(*COMMIT)c", [], "RVJDUFIAAAAAAAAAAQAAAP//////////AAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMACB1hmB1idwAGnB1jeAAOAA=="},
     {"\\A\\d{1,3}(?:\\.\\d{1,3}){3}\\z", [], "RVJDUHUAAAAQAAAAQQAAAP//////////AAAuAAEAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAMQEHYQACB4MACh0uB2EAAgd4AAqDAAodLgdhAAIHeAAKgwAKHS4HYQACB3gAChh4ADEA"},
     {"a#c", [{newline,crlf},firstline], "RVJDUE0AAAAAADQAUQAAAP//////////YQBjAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMACR1hHSMdY3gACQA="},
     {"(a(?=(b))){2}|z", [ungreedy], "RVJDUIAAAAAAAgAAAQAAAP//////////AAAAAAAAAgAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIMAN4UAFwABHWF9AA2FAAcAAh1ieAAHeAANeAAXhQAXAAEdYX0ADYUABwACHWJ4AAd4AA14ABd3AAUdengAPAA="}
    ].

pattern(Options, Code) ->
    Unicode = case lists:member(unicode, Options) of true -> 1; false -> 0 end,
    Crlf = case lists:member({newline, crlf}, Options) of true -> 1; false -> 0 end,
    {re_pattern, 9, Unicode, Crlf, base64:decode(Code)}.

subjects() ->
    [<<>>, <<"abc">>, <<"aabbcd">>, <<"x$time $metadata[$level]">>, <<"BCaBcD">>, <<"bc">>, <<"ababx">>, <<"xxxx">>, <<"a word and\r\nmore">>, <<"aab">>, <<"cdcde">>,
     <<"abdf">>, <<"axcac">>, <<"bycbc">>, <<"((a)(b(c)))">>, <<"ac">>, <<"bd">>, <<"yx">>, <<"yyx">>, <<"aaabbbcdeEf">>, <<"10.0.0.255">>, <<"10.0.0.2551">>, <<"\r\na#c">>,
     <<"z">>, <<"abab">>, <<"Stra", 223, "e">>, <<"Stra\x{df}e 5x\x{20ac}K\x{3a9}k\x{20ac}"/utf8>>, <<"\x{150}\x{250}"/utf8>>, <<"Ab\x{3b1}"/utf8>>].

r(S, P, O) -> try re:run(S, P, O) catch error:E -> E end.

cases() ->
    [{S, fun() -> P = pattern(O, C), {re:inspect(P, namelist), [r(X, P, []) || X <- subjects()]} end} || {S, O, C} <- stored()] ++
    [{global, fun() -> [{S, [r(X, pattern(O, C), [global, {capture, all, binary}]) || X <- subjects()]} || {S, O, C} <- stored()] end},
     {split, fun() -> [[catch re:split(X, pattern(O, C)) || X <- subjects()] || {_, O, C} <- stored()] end},
     {line_ends, fun() -> [[r(X, pattern(O, C), [{newline, anycrlf}, bsr_anycrlf]) || X <- subjects()] || {_, O, C} <- stored()] end},
     {no_code, fun() -> [r("abc", pattern([], base64:encode(C)), []) || C <- [<<>>, <<"abc">>]] end}].

%% strings: the string module on lists and binaries.
%% repeat: 12
-module(b_str_ops).
-export([run/0]).
run() -> S = lists:flatten(lists:duplicate(40, "The quick brown fox jumps over the lazy dog ")), loop(60, S, 0).
loop(0, _, A) -> A;
loop(N, S, A) ->
    U = string:uppercase(S),
    L = string:lexemes(S, " "),
    R = lists:flatten(string:replace(S, "fox", "cat", all)),
    J = string:join(L, ","),
    T = string:trim("   " ++ S ++ "   "),
    P = string:split(S, " ", all),
    loop(N - 1, S, A + length(U) + length(L) + string:length(R) + length(J) + length(T) + length(P)).

%% lists: naive reverse.
%% repeat: 1
-module(b_nrev).
-export([run/0]).
run() -> L = lists:seq(1, 1500), loop(90, L).
loop(0, L) -> hd(L);
loop(N, L) -> loop(N - 1, nrev(L)).
nrev([]) -> [];
nrev([H | T]) -> app(nrev(T), [H]).
app([], L) -> L;
app([H | T], L) -> [H | app(T, L)].

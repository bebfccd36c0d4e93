%% processes: a token around a ring.
%% repeat: 1
-module(b_ring).
-export([run/0]).
run() -> S = self(), P = build(200, S), lists:foldl(fun(I, _) -> P ! {token, I}, receive {token, X} -> X end end, 0, lists:seq(1, 3000)) + stop(P).
build(0, Next) -> Next;
build(N, Next) -> build(N - 1, spawn_link(fun() -> relay(Next) end)).
relay(Next) -> receive {token, _} = T -> Next ! T, relay(Next); stop -> Next ! stop end.
stop(P) -> P ! stop, receive stop -> 0 end.

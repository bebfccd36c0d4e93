%% processes: selective receive with messages waiting.
%% repeat: 3
-module(b_selective).
-export([run/0]).
run() -> {reverse(2500), refs(60000), flush(0)}.
reverse(N) -> [self() ! {item, I} || I <- lists:seq(1, N)], take(N, 0).
take(0, A) -> A;
take(N, A) -> receive {item, N} -> take(N - 1, A + N) end.
refs(N) -> [self() ! {noise, I} || I <- lists:seq(1, 2000)], P = spawn_link(fun echo/0), X = call(N, P, 0), P ! stop, X.
call(0, _, A) -> A;
call(N, P, A) -> R = make_ref(), P ! {self(), R, N}, receive {R, X} -> call(N - 1, P, A + X) end.
echo() -> receive {From, R, N} -> From ! {R, N}, echo(); stop -> ok end.
flush(N) -> receive {noise, _} -> flush(N + 1) after 0 -> N end.

%% processes: two processes calling each other.
%% repeat: 1
-module(b_pingpong).
-export([run/0]).
run() -> P = spawn_link(fun echo/0), N = loop(300000, P, 0), P ! stop, N.
loop(0, _, A) -> A;
loop(N, P, A) -> R = make_ref(), P ! {R, self(), [N, {N}]}, receive {R, [X | _]} -> loop(N - 1, P, A + X) end.
echo() -> receive {R, From, M} -> From ! {R, M}, echo(); stop -> ok end.

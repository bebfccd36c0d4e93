%% garbage collection: a stream of medium-sized messages.
%% repeat: 7
-module(b_msg_garbage).
-export([run/0]).
run() -> S = self(), P = spawn_link(fun() -> sink(0, S) end), src(60000, P), P ! stop, receive {sum, N} -> N end.
src(0, _) -> ok;
src(N, P) ->
    P ! {data, N, [{I, integer_to_list(I)} || I <- [1, 2, 3, 4, 5, 6]], #{a => N, b => [N]}},
    case N band 255 of 0 -> P ! {sync, self()}, receive ok -> ok end; _ -> ok end,
    src(N - 1, P).
sink(A, S) -> receive {data, N, L, #{a := X}} -> sink(A + N + length(L) + X, S); {sync, F} -> F ! ok, sink(A, S); stop -> S ! {sum, A} end.

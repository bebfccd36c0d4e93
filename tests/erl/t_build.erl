%% Functions that call themselves for the tail of the list that they return.
-module(t_build).
-export([up/2, pairs/1, two/1, with/2, holes/1, alien/1, raises/1, tailed/2, mixed/1, improper/2, nested/1, waits/1, loops/2, ends_deep/2, tail_deep/2]).
-include("diff.hrl").

up(N, N) -> [];
up(I, N) -> [I | up(I + 1, N)].

pairs([]) -> [];
pairs([H | T]) -> X = {H, [H, garbage(H)]}, [X | pairs(T)].

garbage(N) -> length(lists:seq(1, N rem 30)).

%% Two elements a call, one of them a constant.
two([]) -> done;
two([H | T]) -> [H, constant | two(T)].

with(_, []) -> [];
with(F, [H | T]) -> [F(H) | with(F, T)].

%% Some elements are left out: a call that is the last thing to do.
holes([]) -> [];
holes([H | T]) when H rem 3 =:= 0 -> holes(T);
holes([H | T]) -> [H | holes(T)].

%% Another function makes the end.
alien([H | T]) when is_integer(H) -> [H | alien(T)];
alien(Rest) -> rest(Rest).

rest([]) -> [];
rest([{again, L} | T]) -> alien(L ++ T);
rest([X | T]) -> [{x, X} | rest(T)].

%% What makes the end goes deep, so that the stack moves meanwhile.
ends_deep([], N) -> case deep(N) of N -> [N] end;
ends_deep([H | T], N) -> [H | ends_deep(T, N)].

tail_deep([], N) -> deep_list(N);
tail_deep([H | T], N) -> [H | tail_deep(T, N)].

deep_list(0) -> [];
deep_list(N) -> case deep(N) of N -> [N] end.

deep(0) -> 0;
deep(N) -> 1 + deep(N - 1).

raises([H | T]) -> [10 div H | raises(T)];
raises([]) -> [].

tailed(0, F) -> F();
tailed(N, F) -> [N | tailed(N - 1, F)].

%% Calls from two places.
mixed([]) -> [];
mixed([a | T]) -> [was_a | mixed(T)];
mixed([X | T]) -> [X | mixed(T)].

improper([H], End) -> [H | End];
improper([H | T], End) -> [H | improper(T, End)].

nested([]) -> [];
nested([L | T]) when is_list(L) -> X = nested(L), [X | nested(T)];
nested([H | T]) -> [-H | nested(T)].

waits(0) -> [];
waits(N) -> X = receive {n, N, V} -> V after 5000 -> none end, [X | waits(N - 1)].

loops(0, _) -> [];
loops(N, P) -> P ! {self(), N}, receive {P, V} -> ok end, [V | loops(N - 1, P)].

echo() -> receive stop -> ok; {From, N} -> From ! {self(), N * 2}, echo() end.

fresh(F) -> {P, R} = spawn_monitor(fun() -> exit({done, F()}) end), receive {'DOWN', R, process, P, Why} -> Why end.

told(F) -> try F() catch C:R:S -> {C, R, [{M, N, if is_list(A) -> length(A); true -> A end} || {M, N, A, _} <- S, M =:= ?MODULE]} end.

cases() ->
    [{lengths, fun() -> [up(0, N) || N <- [0, 1, 2, 3, 10]] end},
     {long, heavy, fun() -> L = up(0, 300000), {length(L), lists:sum(L), L =:= lists:seq(0, 299999)} end},
     {longer, heavy, fun() -> [begin L = up(0, N), {hd(L), lists:last(L), length(L)} end || N <- [3999, 4000, 4001, 8000, 63999, 64001, 128001]] end},
     {with_garbage, heavy, fun() -> L = pairs(up(0, 50000)), {length(L), lists:all(fun({H, [H, G]}) -> G =:= H rem 30 end, L)} end},
     {two_elements, fun() -> [two(L) || L <- [[], [1], [1, 2, 3]]] end},
     {fun_called, fun() -> [with(fun(X) -> X * X end, up(0, 20)), with(fun erlang:abs/1, [-1, 2]), with(fun lists:sum/1, [[1], [2, 3]])] end},
     {fun_that_collects, heavy, fun() -> L = with(fun(X) -> erlang:garbage_collect(), [X] end, up(0, 300)), {length(L), lists:append(L) =:= up(0, 300)} end},
     {holes, fun() -> holes(up(0, 100)) end},
     {another_end, fun() -> [alien(L) || L <- [[1, 2], [1, a, 2, b], [1, {again, [5, 6, c]}, 7], [{again, [1, {again, [2]}]}, 3]]] end},
     {another_end_long, heavy, fun() -> L = alien(up(0, 70000) ++ [{again, up(0, 70000)}, x]), {length(L), lists:last(L)} end},
     {deep_ends, heavy, fun() -> [{fresh(fun() -> ends_deep(up(0, K), N) end), fresh(fun() -> tail_deep(up(0, K), N) end)} || K <- [1, 2, 10], N <- [0, 1, 10, 100, 1000, 10000]] end},
     {raises, fun() -> [told(fun() -> raises(L) end) || L <- [[1, 2], [1, 0], [0], [1, 2, 5, 0, 1], [1, 2, a], [1 | 2]]] end},
     {raises_deep, heavy, fun() -> told(fun() -> raises(lists:duplicate(20000, 1) ++ [0]) end) end},
     {raises_at_end, fun() -> [told(fun() -> tailed(N, fun() -> error(end_of(N)) end) end) || N <- [0, 1, 5]] end},
     {throws_through, fun() -> catch [1 | tailed(5, fun() -> throw(ball) end)] end},
     {two_places, fun() -> [mixed(L) || L <- [[], [a], [1, a, 2, a, a, 3]]] end},
     {two_places_trace, fun() -> [told(fun() -> mixed(L) end) || L <- [[1, a | b], [a, a, 1, 2 | b], [a | b]]] end},
     {improper, fun() -> [improper([1, 2, 3], E) || E <- [[], x, [4], <<>>]] end},
     {nested, fun() -> nested([1, [2, [3, [], 4]], 5, [[6]]]) end},
     {nested_deep, heavy, fun() -> X = lists:foldl(fun(I, A) -> [I, A, I] end, [], up(0, 20000)), length(lists:flatten(nested(X))) end},
     {receives, fun() -> [self() ! {n, N, N * N} || N <- [2, 5, 1, 4, 3]], waits(5) end},
     {talks, heavy, fun() -> P = spawn(fun echo/0), L = loops(2000, P), P ! stop, {length(L), hd(L), lists:last(L)} end},
     {stack_seen, fun() -> with(fun(X) -> {current_stacktrace, S} = process_info(self(), current_stacktrace), {X, [{F, A} || {?MODULE, F, A, _} <- S, F =:= with]} end, [1, 2, 3]) end},
     {killed, fun() -> {P, R} = spawn_monitor(fun() -> up(0, 1 bsl 40) end), erlang:send_after(30, self(), kill), receive kill -> exit(P, kill) end, receive {'DOWN', R, _, _, W} -> W end end},
     {reductions, fun() -> {reductions, A} = process_info(self(), reductions), up(0, 10000), {reductions, B} = process_info(self(), reductions), B - A >= 10000 end},
     {many_at_once, heavy, fun() -> S = self(), Ps = [spawn(fun() -> S ! {self(), length(pairs(up(0, 3000 + I)))} end) || I <- up(0, 20)], [receive {P, N} -> N end || P <- Ps] end}].

end_of(N) -> {end_of, N}.

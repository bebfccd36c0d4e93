%% Comprehensions that every release has.
-module(t_compr).
-include("diff.hrl").

qs([]) -> [];
qs([P | T]) -> qs([X || X <- T, X < P]) ++ [P] ++ qs([X || X <- T, X >= P]).

perms([]) -> [[]];
perms(L) -> [[H | T] || H <- L, T <- perms(L -- [H])].

cases() ->
    [{simple, fun() -> [X * 2 || X <- id([1, 2, 3])] end},
     {filter, fun() -> [X || X <- id([1, a, 2, b]), is_integer(X)] end},
     {pattern_filter, fun() -> [X || {ok, X} <- id([{ok, 1}, error, {ok, 2}, {no, 3}])] end},
     {two_generators, fun() -> [{X, Y} || X <- id([1, 2]), Y <- id([a, b])] end},
     {dependent, fun() -> [{X, Y} || X <- lists:seq(1, 4), Y <- lists:seq(X, 4), X * Y =:= 4] end},
     {nested, fun() -> [[Y || Y <- lists:seq(1, X)] || X <- lists:seq(0, 4)] end},
     {binary_gen, fun() -> [X || <<X:3>> <= id(<<16#A5, 16#3C, 7>>)] end},
     {binary_result, fun() -> << <<X:3>> || X <- id([1, 2, 3, 4, 5]) >> end},
     {binary_both, fun() -> << <<(X bxor 255)>> || <<X>> <= id(<<1, 2, 3>>) >> end},
     {binary_filter, fun() -> << <<X>> || <<X>> <= id(<<"hello world">>), X =/= $o >> end},
     {binary_nested, fun() -> [{A, B} || <<A:4>> <= id(<<16#12>>), <<B:4>> <= id(<<16#34>>)] end},
     {binary_utf8, fun() -> [C || <<C/utf8>> <= id(<<"aé€"/utf8>>)] end},
     {binary_stop_on_mismatch, fun() -> [X || <<1, X>> <= id(<<1, 5, 1, 6, 2, 7, 1, 8>>)] end},
     {binary_tail_ignored, fun() -> [X || <<X:16>> <= id(<<1, 2, 3>>)] end},
     {bits_result, fun() -> bit_size(<< <<1:1>> || _ <- lists:seq(1, 13) >>) end},
     {bin_to_hex, fun() -> << <<(if D < 10 -> $0 + D; true -> $a + D - 10 end)>> || <<D:4>> <= id(<<16#DEADBEEF:32>>) >> end},
     {qsort, fun() -> qs([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]) end},
     {perms, fun() -> perms([1, 2, 3]) end},
     {pythagoras, fun() -> [{A, B, C} || A <- lists:seq(1, 20), B <- lists:seq(A, 20), C <- lists:seq(B, 20), A * A + B * B =:= C * C] end},
     {bad_generator, fun() -> [c(fun() -> [X || X <- id(a)] end), c(fun() -> [X || X <- id([1 | 2])] end)] end},
     {bad_filter, fun() -> c(fun() -> [X || X <- [1, 2], id(X)] end) end},
     {guard_fail_filter, fun() -> [X || X <- id([1, a, 2]), X + 1 > 2] end},
     {bool_expr_filter, fun() -> [X || X <- id([1, 2, 3, 4]), id(X > 2)] end},
     {shadowing, fun() -> X = id(9), Y = [X || X <- id([1, 2])], {X, Y} end},
     {closure, fun() -> N = id(3), [F(10) || F <- [fun(A) -> A * M + N end || M <- [1, 2]]] end},
     {long, fun() -> length([X || X <- lists:seq(1, 100000), X rem 3 =:= 0]) end},
     {no_gen, fun() -> cr(fun() -> [id(x) || true] end) end},
     {false_filter_first, fun() -> [X || id(false), X <- id(a)] end},
     {map_values_listed, fun() -> lists:sort([{V, K} || {K, V} <- maps:to_list(#{a => 1, b => 2})]) end},
     {exception_inside, fun() -> cr(fun() -> [1 / X || X <- id([1, 0])] end) end},
     {unused_result, fun() -> put(n, 0), [put(n, get(n) + X) || X <- id([1, 2, 3])], get(n) end},
     {size_in_generator, fun() -> S = id(5), [X || <<X:S>> <= id(<<16#FFFF:16>>)] end},
     {size_from_pattern, fun() -> [D || <<L, D:L/binary>> <= id(<<1, "a", 2, "bc", 9, "x">>)] end}].

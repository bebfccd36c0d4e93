%% The order in which sets and bags are traversed.
-module(t_ets_order).
-include("diff.hrl").

%% Keys whose hash is defined by value.
keys() ->
    [{integers, fun(I) -> I * 7 - 100 end}, {atoms, fun(I) -> list_to_atom("atom_" ++ integer_to_list(I)) end}, {binaries, fun(I) -> integer_to_binary(I * 13) end}, {strings, fun(I) -> integer_to_list(I) end},
     {tuples, fun(I) -> {I, I rem 7, <<"x">>} end}, {floats, fun(I) -> I / 3 end}, {bignums, fun(I) -> 1 bsl 70 + I end}, {latin1_atoms, fun(I) -> list_to_atom([16#e5, $a + I rem 26, 16#3b1 + I]) end}].

%% Is a number of locks given, the order is by locks first.
options() -> [[], [public, {write_concurrency, true}], [public, {write_concurrency, auto}], [public, {write_concurrency, true}, {decentralized_counters, true}], [private, {write_concurrency, true}], [{write_concurrency, {debug_hash_fixed_number_of_locks, 512}}]].

all(F) -> [{K, N, short(F(K, Key, N))} || K <- [set, bag, duplicate_bag], N <- [6, 300, 2600], {_, Key} <- keys()].
each(F) -> all(fun(K, Key, N) -> T = filled(K, [], Key, N), R = F(T, Key, N), ets:delete(T), R end).
short(T) -> case erlang:external_size(T) of N when N < 300 -> T; _ -> {phash2, erlang:phash2(T)} end.

%% With a fresh time slice: OTP 25 turns a list round that it does not get through in what is left of one.
insert(T, L) -> erlang:yield(), ets:insert(T, L).
insert_new(T, L) -> erlang:yield(), ets:insert_new(T, L).

filled(K, Options, Key, N) ->
    T = ets:new(t, [K | Options]),
    [ets:insert(T, {Key(I), I}) || I <- lists:seq(1, N)],
    case K of
        set -> ok;
        _ -> [ets:insert(T, {Key(I), 2 * I}) || I <- lists:seq(1, N, 3)]
    end,
    T.

walk(_, '$end_of_table') -> [];
walk(T, K) -> [K | walk(T, ets:next(T, K))].

chunks('$end_of_table') -> [];
chunks({L, C}) -> [L | chunks(ets:select(C))].

slots(T, N) ->
    case ets:slot(T, N) of
        '$end_of_table' -> [{slots, N}];
        [] -> slots(T, N + 1);
        L -> [{N, L} | slots(T, N + 1)]
    end.

buckets(T) -> element(1, ets:info(T, stats)).

cases() ->
    [{tab2list, fun() -> each(fun(T, _, _) -> ets:tab2list(T) end) end},
     {first_next, fun() -> each(fun(T, _, _) -> walk(T, ets:first(T)) end) end},
     {slots, fun() -> each(fun(T, _, _) -> slots(T, 0) end) end},
     {stats, fun() -> each(fun(T, _, _) -> ets:info(T, stats) end) end},
     {select, fun() -> each(fun(T, _, N) -> ets:select(T, [{{'$1', '$2'}, [{'<', '$2', N div 2}], ['$2']}]) end) end},
     {select_limits, fun() -> each(fun(T, _, N) -> [chunks(ets:select(T, [{{'_', '$2'}, [], ['$2']}], L)) || L <- [1, 7, N]] end) end},
     {match, fun() -> each(fun(T, _, _) -> [ets:match(T, {'$1', '$2'}), ets:match_object(T, {'_', 2}), element(1, ets:match(T, {'_', '$1'}, 3))] end) end},
     {folds, fun() -> each(fun(T, _, _) -> [ets:foldl(fun(X, A) -> [X | A] end, [], T), ets:foldr(fun(X, A) -> [X | A] end, [], T)] end) end},
     {given_keys, fun() -> each(fun(T, Key, _) -> Spec = [{{Key(I), '_'}, [], ['$_']} || I <- [5, 1, 4, 1, 999999]], [ets:select(T, Spec), chunks(ets:select(T, Spec, 1)), ets:select_count(T, [{{Key(1), '_'}, [], [true]}])] end) end},
     {after_deletes, fun() -> each(fun(T, Key, N) -> [ets:delete(T, Key(I)) || I <- lists:seq(1, N), I rem 5 =/= 0], A = {ets:tab2list(T), buckets(T)}, [ets:insert(T, {Key(I), I}) || I <- lists:seq(N, 1, -1)], [A, ets:tab2list(T), buckets(T)] end) end},
     {after_select_delete, fun() -> each(fun(T, _, _) -> N = ets:select_delete(T, [{{'_', '$2'}, [{'==', {'rem', '$2', 3}, 0}], [true]}]), [N, ets:tab2list(T), ets:info(T, size), buckets(T)] end) end},
     {shrinks, heavy, fun() -> T = filled(set, [], fun(I) -> I end, 9000), [begin [ets:delete(T, I) || I <- lists:seq(A, A + 999)], {buckets(T), erlang:phash2(ets:tab2list(T))} end || A <- lists:seq(1, 8000, 1000)] end},
     {lists_put_in, fun() -> each(fun(T, Key, N) -> insert(T, [{Key(I), I + 1000} || I <- lists:seq(1, N, 2)]), insert(T, [{Key(I), I + 2000} || I <- lists:seq(N, 2 * N)]), [ets:tab2list(T), buckets(T)] end) end},
     {long_lists, heavy, fun() -> [begin T = ets:new(t, [K | O]), insert(T, [{I, a} || I <- lists:seq(1, 12000)]), R = {insert_new(T, [{I, b} || I <- lists:seq(12001, 20000)]), insert_new(T, [{I, c} || I <- lists:seq(30000, 20000, -1)]), ets:info(T, size), erlang:phash2(ets:tab2list(T))}, ets:delete(T), R end || K <- [set, bag, duplicate_bag, ordered_set], O <- [[], [public, {write_concurrency, true}]]] end},
     {defaults, fun() -> T = filled(set, [], fun(I) -> I end, 255), [ets:update_counter(T, {I}, 1, {{I}, 0}) || I <- lists:seq(1, 40)], [ets:update_counter(T, I, 1, {I, 0}) || I <- lists:seq(300, 340)], [ets:tab2list(T), buckets(T)] end},
     {options, fun() -> [{K, O, N, erlang:phash2({ets:tab2list(T), walk(T, ets:first(T)), slots(T, 0), chunks(ets:select(T, [{'$1', [], ['$1']}], 9))})} || K <- [set, bag], O <- options(), N <- [50, 2000], T <- [filled(K, O, fun(I) -> I end, N)]] end},
     {locks, fun() -> [{L, case [X || {write_concurrency, X} <- ets:info(T)] of [X] -> X end, buckets(T)} || L <- [1, 63, 64, 100, 256, 257, 1024, 4096], T <- [ets:new(t, [{write_concurrency, {debug_hash_fixed_number_of_locks, L}}])]] end},
     {fixed, fun() -> each(fun(T, Key, N) -> ets:safe_fixtable(T, true), K = Key(3), ets:delete(T, K), A = [catch ets:next(T, K), ets:lookup(T, K), ets:info(T, size), ets:tab2list(T)], ets:insert(T, {K, new}), [ets:insert(T, {Key(I), fresh}) || I <- lists:seq(N + 1, N + 30)], B = [ets:tab2list(T), buckets(T)], ets:safe_fixtable(T, false), [A, B, ets:tab2list(T), buckets(T)] end) end},
     {fixed_bag, fun() -> T = ets:new(t, [bag]), [ets:insert(T, {a, I}) || I <- lists:seq(1, 5)], Dead = fun() -> {ets:lookup(T, a), ets:info(T, size), element(7, ets:info(T, stats))} end, ets:safe_fixtable(T, true), [begin F(), Dead() end || F <- [fun() -> ets:delete_object(T, {a, 5}) end, fun() -> ets:delete_object(T, {a, 2}) end, fun() -> ets:insert(T, {a, 5}) end, fun() -> ets:insert(T, {a, 2}) end, fun() -> ets:delete(T, a) end, fun() -> ets:insert(T, {a, 3}) end, fun() -> ets:insert(T, {a, 1}) end, fun() -> ets:safe_fixtable(T, false) end]] end},
     {fixed_and_emptied, fun() -> T = filled(set, [], fun(I) -> I end, 3000), ets:safe_fixtable(T, true), F = ets:first(T), ets:delete_all_objects(T), A = [ets:info(T, size), ets:first(T), ets:tab2list(T), catch ets:next(T, F), element(7, ets:info(T, stats))], ets:insert(T, [{7, a}, {9, b}]), B = ets:tab2list(T), ets:safe_fixtable(T, false), [A, B, ets:info(T, size), buckets(T), catch ets:next(T, F)] end},
     {bag_of_one_key, fun() -> T = ets:new(t, [bag]), [ets:insert(T, {k, I rem 700, I rem 3}) || I <- lists:seq(1, 5000)], ets:delete_object(T, {k, 0, 0}), ets:insert(T, {k, 0, 0}), ets:safe_fixtable(T, true), ets:delete_object(T, {k, 5, 1}), ets:insert(T, {k, 5, 1}), ets:safe_fixtable(T, false), [ets:info(T, size), erlang:phash2(ets:lookup(T, k)), ets:select_delete(T, [{{k, '$1', '_'}, [{'<', '$1', 600}], [true]}]), ets:insert(T, {k, 1, 1}), erlang:phash2(ets:take(T, k))] end}].

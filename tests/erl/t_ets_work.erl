%% ETS: work on many objects at once, what a match specification may call, and continuations.
-module(t_ets_work).
-include("diff.hrl").

tables(N) -> [{K, O, filled(K, O, N)} || K <- [set, bag, duplicate_bag, ordered_set], O <- [[public], [public, {write_concurrency, true}], [private]]].
filled(K, O, N) -> T = ets:new(t, [K | O]), ets:insert(T, [{I, I rem 10, <<I:64>>} || I <- lists:seq(1, N)]), T.
each(N, F) -> [{K, O, element(1, {F(T), ets:delete(T)})} || {K, O, T} <- tables(N)].
sum(L) -> {length(L), erlang:phash2(lists:sort(L))}.

chunks('$end_of_table') -> [];
chunks({L, C}) -> [L | chunks(ets:select(C))].

%% Others read and write while F works on the table.
besides(T, F) ->
    Ps = [spawn_monitor(fun() -> busy(T, 1000000 * P, 0) end) || P <- [1, 2]],
    R = F(),
    [P ! stop || {P, _} <- Ps],
    [receive {'DOWN', M, _, _, W} -> W end || {_, M} <- Ps],
    R.

busy(T, K, N) ->
    ets:insert(T, {K + N, x, y}), ets:lookup(T, N), ets:delete(T, K + N),
    receive stop -> ok after 0 -> busy(T, K, N + 1) end.

%% A call in a specification, in guard, body and both dialects.
call(T, Call) ->
    [cr(fun() -> ets:select(T, [{{'$1', '$2'}, [Call], ['$1']}]) end), cr(fun() -> ets:select(T, [{{'$1', '$2'}, [], [Call]}]) end),
     cr(fun() -> erlang:match_spec_test({1, 2}, [{{'$1', '$2'}, [], [Call]}], table) end), cr(fun() -> erlang:match_spec_test([1, 2], [{['$1', '$2'], [], [Call]}], trace) end), cr(fun() -> erlang:match_spec_test([1, 2], [{['$1', '$2'], [Call], []}], trace) end)].

arguments() -> ['$1', 1, {const, {a, 1}}, "ab", <<"xy">>, #{a => 1}, a, 2.5, -3, true, {{a, b}}, [], '$_', '$$', '$2', {abs, '$2'}].
pick(I, J) -> lists:nth(1 + (7 * I + 11 * J + I * J) rem length(arguments()), arguments()).

%% What has no effect outside, and no value that differs from run to run.
functions() ->
    [is_atom, is_float, is_integer, is_list, is_number, is_pid, is_port, is_reference, is_tuple, is_map, is_binary, is_bitstring, is_boolean, is_function, is_record, is_map_key, is_constant, 'and', 'or', 'andalso', 'orelse', 'not', 'xor', const, element, hd, tl, length, size, map_size, map_get, bit_size, byte_size, tuple_size, binary_part, trunc, round, float, ceil, floor, abs, min, max, '+', '-', '*', '/', 'div', 'rem', 'band', 'bor', 'bxor', 'bnot', 'bsl', 'bsr', '>', '>=', '<', '=<', '=:=', '==', '=/=', '/=',
     '!', '++', '--', now, phash2, make_ref, apply, atom_to_list, list_to_atom, foo, message, return_trace, exception_trace, enable_trace, disable_trace, silent, caller, caller_line, current_stacktrace, set_seq_token, get_seq_token, is_seq_trace, set_tcw, get_tcw].

%% A table is deleted while others ask it the same again and again: what they are told does not change before they are told that
%% there is none.
deleted_under_use(Type) ->
    T = ets:new(x, [public, Type]),
    Me = self(),
    Asks = [fun() -> ets:insert_new(T, [{{a, N}, N} || N <- lists:seq(1, 300)]) end,
            fun() -> ets:insert_new(T, {b, 1}) end,
            fun() -> ets:member(T, c) end,
            fun() -> ets:lookup(T, c) end,
            fun() -> ets:update_counter(T, c, {2, 0}) end],
    ets:insert(T, {c, 7}),
    Ps = [spawn_link(fun() -> F(), Me ! {self(), begun}, V = F(), Me ! {self(), asked_until(F, V)} end) || F <- Asks, _ <- [1, 2]],
    [receive {P, begun} -> ok end || P <- Ps],
    ets:delete(T),
    lists:usort([receive {P, V} -> V end || P <- Ps]).

asked_until(F, V) ->
    try F() of
        V -> asked_until(F, V);
        Other -> {changed, V, Other}
    catch error:badarg -> no_table
    end.

cases() ->
    [{deleted_under_use, fun() -> [lists:usort([deleted_under_use(Type) || _ <- lists:seq(1, 20)]) || Type <- [set, ordered_set]] end},
     {select, heavy, fun() -> each(15000, fun(T) -> sum(ets:select(T, [{{'$1', 3, '_'}, [], ['$1']}])) end) end},
     {tab2list, heavy, fun() -> each(12000, fun(T) -> sum(ets:tab2list(T)) end) end},
     {select_count, heavy, fun() -> each(15000, fun(T) -> ets:select_count(T, [{{'_', '$1', '_'}, [{'<', '$1', 4}], [true]}]) end) end},
     {select_delete, heavy, fun() -> each(15000, fun(T) -> N = ets:select_delete(T, [{{'$1', '_', '_'}, [{'>', '$1', 100}], [true]}]), [N, ets:info(T, size), sum(ets:tab2list(T)), ets:info(T, fixed)] end) end},
     {match_delete, heavy, fun() -> each(12000, fun(T) -> ets:match_delete(T, {'_', 7, '_'}), [ets:info(T, size), ets:select_delete(T, [{'_', [], [true]}]), ets:info(T, size)] end) end},
     {select_replace, heavy, fun() -> each(12000, fun(T) -> [cr(fun() -> ets:select_replace(T, [{{'$1', '$2', '$3'}, [{'<', '$2', 5}], [{{'$1', {'+', '$2', 100}, '$3'}}]}]) end), sum(ets:tab2list(T))] end) end},
     {select_limits, heavy, fun() -> each(12000, fun(T) -> [sum(lists:append(chunks(ets:select(T, [{{'$1', '$2', '_'}, [{'=:=', '$2', 1}], ['$1']}], N)))) || N <- [100, 1999, 100000]] end) end},
     {delete_all, heavy, fun() -> each(12000, fun(T) -> ets:insert(T, {-1, a, b}), ets:delete_all_objects(T), [ets:info(T, size), ets:first(T), ets:insert(T, {1, 2, 3}), ets:tab2list(T)] end) end},
     {delete_all_fixed, heavy, fun() -> each(12000, fun(T) -> ets:safe_fixtable(T, true), ets:delete_all_objects(T), A = [ets:info(T, size), ets:first(T)], ets:insert(T, [{I, b, c} || I <- lists:seq(1, 3000)]), B = sum(ets:tab2list(T)), ets:safe_fixtable(T, false), [A, B, ets:info(T, size)] end) end},
     {insert_lists, heavy, fun() -> each(10, fun(T) -> L = [{I, I, I} || I <- lists:seq(5, 30000)], [ets:insert_new(T, L), ets:info(T, size), ets:insert(T, L), ets:info(T, size), ets:insert_new(T, [{-I, I, I} || I <- lists:seq(1, 20000)]), sum(ets:tab2list(T))] end) end},
     {insert_bad_lists, fun() -> [cr(fun() -> ets:F(T, [{I, 1} || I <- lists:seq(1, 3000)] ++ id(X)) end) || T <- [ets:new(t, [])], F <- [insert, insert_new], X <- [x, [x], [{}], [{1} | x], [[]]]] ++ [ets:info(ets:new(t, []), size)] end},
     {while_others_write, heavy, fun() -> [begin T = filled(K, [public | O], 30000), R = besides(T, fun() -> [length([X || [X] <- ets:match(T, {'$1', 3, '_'}), X < 1000000]), ets:select_count(T, [{{'$1', '_', '_'}, [{'<', '$1', 20000}], [true]}]), ets:select_delete(T, [{{'$1', '_', '_'}, [{'<', '$1', 10000}], [true]}]), length(chunks(ets:select(T, [{{'$1', 4, '_'}, [], ['$1']}], 100))) > 10] end), {K, O, R, ets:info(T, size), ets:info(T, safe_fixed)} end || K <- [set, bag, ordered_set], O <- [[], [{write_concurrency, true}]]] end},
     {killed_while_it_works, heavy, fun() -> [begin T = filled(K, [public], 30000), [begin {P, M} = spawn_monitor(fun() -> F(T) end), erlang:yield(), exit(P, kill), receive {'DOWN', M, _, _, _} -> ok end end || F <- [fun(X) -> ets:tab2list(X) end, fun(X) -> ets:insert(X, [{I, a, b} || I <- lists:seq(1, 20000)]) end]], {K, ets:info(T, fixed), ets:member(T, 30000)} end || K <- [set, ordered_set]] end},
     {match_spec_run, heavy, fun() -> C = ets:match_spec_compile([{{'$1', '$2'}, [{'>', '$1', 10}], ['$2']}]), [sum(ets:match_spec_run([{I, {I, x}} || I <- lists:seq(1, 30000)], C)), cr(fun() -> ets:match_spec_run([{1, 2} | id(x)], C) end)] end},
     {calls, fun() -> T = ets:new(t, [ordered_set]), ets:insert(T, [{1, 2}, {a, #{a => 1}}, {[1, 2, 3], <<"abc">>}, {{a, b}, 2.5}]), [{list_to_tuple([F | As]), call(T, list_to_tuple([F | As]))} || {I, F} <- lists:zip(lists:seq(1, length(functions())), functions()), N <- [0, 1, 2, 3], As <- [[pick(I + 3 * N, J) || J <- lists:seq(1, N)]]] end},
     {long_texts, fun() -> [erlang:match_spec_test([1], [{'_', [], [C]}], trace) || C <- [{silent, a, lists:seq(1, 80), b}, {foo_bar, 1}, {'Foo bar', 1}, {message}, {const, 1, 2, lists:duplicate(90, a)}, {{a}, b}]] end},
     {next_to_the_end, fun() -> [[cr(fun() -> ets:F(T, '$end_of_table') end) || F <- [next, prev]] || K <- [set, ordered_set], T <- [ets:new(t, [K])], _ <- [ets:insert(T, {a}), ets:insert(T, {b})]] end},
     {binaries, fun() -> T = ets:new(t, []), B = binary:copy(<<"x">>, 300), ets:insert(T, [{1, B}, {2, B, B}, {3, <<"small">>}]), L = ets:info(T, binary), [length(L), lists:usort([S || {_, S, _} <- L]), cr(fun() -> ets:info(no_such_table, binary) end), cr(fun() -> ets:info(id(1), binary) end)] end},
     {binaries_of_the_dead, fun() -> [begin T = ets:new(t, [K]), ets:insert(T, [{1, binary:copy(<<"x">>, 300)}, {2, a}]), ets:safe_fixtable(T, true), ets:delete(T, 1), A = length(ets:info(T, binary)), ets:safe_fixtable(T, false), {K, A, ets:info(T, binary)} end || K <- [set, bag, ordered_set]] end},
     {odd_rests, fun() -> T = ets:new(t, []), ets:insert(T, [{I} || I <- lists:seq(1, 20)]), {_, C} = ets:select(T, [{'_', [], ['$_']}], 3), [cr(fun() -> case ets:select(setelement(I, C, V)) of {L, _} -> length(L); E -> E end end) || {I, V} <- [{2, -1}, {2, 1 bsl 50}, {3, 0}, {3, a}, {4, a}, {5, a}, {6, -1}, {6, a}]] end}].

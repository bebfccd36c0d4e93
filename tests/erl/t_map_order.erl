%% The order in which maps are walked. The language leaves it open; programs
%% and printed output nevertheless show it.
-module(t_map_order).
-include("diff.hrl").

m(Ks) -> maps:from_list([{K, 0} || K <- Ks]).
k(Ks) -> maps:keys(m(Ks)).

cases() ->
    [{small_ints, fun() -> k([5, 3, 9, 1, 7]) end},
     {small_mixed, fun() -> k([5.0, <<"x">>, "s", {t}, 1, [], 1 bsl 70]) end},
     {small_strings, fun() -> k(["b", "a", "c"]) end},
     {small_tuples, fun() -> k([{b}, {a, 1}, {1}]) end},
     {small_print, fun() -> lists:flatten(io_lib:format("~p", [m([3, 1, 2])])) end},
     {small_to_term_binary, fun() -> term_to_binary(m([3, 1, 2])) end},
     {emulators_atoms, fun() -> [k(L) || L <- [[private, killed, low, high, monitors, all, binary, port, local, dictionary, public, line, set, badmatch, exit, badarith, time, node, value, ordered_set, integer, waiting, atom, min, cause, ok, list, badarg],
                             [max, utf8, latin1, none, protected, system, timeout, kill, memory, pid, file, owner, label, monitor, global, true, undefined, table, capture, priority, module, first, infinity, message, total, unicode, size, link],
                             [heap_size, links, trap_exit, name, reason, float, second, status, used, error, normal, false, process, bag, unit, type, running, noproc]]] end},
     {large_ints, fun() -> k(lists:seq(1, 40)) end},
     {large_ints_500, fun() -> k(lists:seq(1, 500)) end},
     {large_negative, fun() -> k(lists:seq(-50, -1)) end},
     {large_bignums, fun() -> k([(1 bsl 70) + I || I <- lists:seq(1, 40)]) end},
     {large_wide_ints, fun() -> k([I bsl 40 || I <- lists:seq(1, 40)]) end},
     {large_floats, fun() -> k([I / 4 || I <- lists:seq(1, 40)]) end},
     {large_binaries, fun() -> k([integer_to_binary(I) || I <- lists:seq(1, 40)]) end},
     {large_long_binaries, fun() -> k([binary:copy(integer_to_binary(I), 20) || I <- lists:seq(1, 40)]) end},
     {large_strings, fun() -> k([integer_to_list(I) || I <- lists:seq(1, 40)]) end},
     {large_tuples, fun() -> k([{I, I} || I <- lists:seq(1, 40)]) end},
     {large_lists, fun() -> k([[I, I + 1 | I] || I <- lists:seq(1, 40)]) end},
     {large_maps, fun() -> [map_size(X) || X <- k([m(lists:seq(1, I)) || I <- lists:seq(1, 40)])] end},
     {larger_maps, fun() -> [map_size(X) || X <- k([m(lists:seq(1, 30 * I)) || I <- lists:seq(1, 40)])] end},
     {large_maps_of_terms, fun() -> [map_size(X) || X <- k([maps:from_list([{{J, [J]}, [J | <<J>>]} || J <- lists:seq(1, I)]) || I <- lists:seq(20, 90)])] end},
     {large_bits, fun() -> k([<<1:I>> || I <- lists:seq(1, 40)]) end},
     {large_nested, fun() -> k([{I, {I, [I]}, #{I => I}} || I <- lists:seq(1, 40)]) end},
     {large_print, fun() -> erlang:phash2(lists:flatten(io_lib:format("~p", [m(lists:seq(1, 100))]))) end},
     {large_fold, fun() -> maps:fold(fun(K, _, A) -> [K | A] end, [], m(lists:seq(1, 100))) end},
     {fold_is_to_list_order, fun() -> M = m(lists:seq(1, 300)), lists:reverse(maps:fold(fun(K, V, A) -> [{K, V} | A] end, [], M)) =:= maps:to_list(M) end},
     {after_remove, fun() -> maps:keys(lists:foldl(fun maps:remove/2, m(lists:seq(1, 100)), lists:seq(1, 50))) end},
     {large_values, fun() -> maps:values(maps:from_list([{I, -I} || I <- lists:seq(1, 60)])) end},
     {large_etf, fun() -> erlang:md5(term_to_binary(m(lists:seq(1, 100)))) end}].

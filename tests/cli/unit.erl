-module(unit).
-include_lib("eunit/include/eunit.hrl").

sum_test() -> ?assertEqual(3, lists:sum([1, 2])).
wrong_test() -> ?assertEqual(4, lists:sum([1, 2])).
error_test() -> lists:nth(0, []).
throw_test() -> throw(thrown).
exit_test() -> exit(gone).

listed_test_() ->
    [?_assert(true), {"named", ?_assertMatch({a, _}, {a, 1})}, ?_assertError(badarith, 1 / zero())].

table_test_() ->
    {setup, fun() -> ets:new(x, [public]) end, fun ets:delete/1,
     fun(T) -> [?_test(ets:insert(T, {a, 1})), ?_assertEqual([{a, 1}], ets:lookup(T, a))] end}.

each_test_() ->
    {foreach, fun() -> put(k, v) end, fun(_) -> erase(k) end,
     [fun(_) -> ?_assertEqual(v, get(k)) end, fun(_) -> ?_assertEqual(w, get(k)) end]}.

broken_setup_test_() -> {setup, fun() -> error(no_setup) end, ?_assert(true)}.
parallel_test_() -> {inparallel, [?_assert(true) || _ <- lists:seq(1, 5)]}.
timeout_test_() -> {timeout, 0.5, fun() -> timer:sleep(5000) end}.

zero() -> 0.

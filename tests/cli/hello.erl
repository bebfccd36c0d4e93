-module(hello).
-export([main/0, main/1, start/0, crash/0, echo/0, lines/0, args/0, boom/1, sup/0]).
-ifdef(TEST).
-include_lib("eunit/include/eunit.hrl").
sum_test() -> ?assertEqual(6, lists:sum([1, 2, 3])).
bad_test() -> ?assertEqual(1, lists:sum([1, 2, 3])).
gen_test_() -> [?_assert(true), {"named", ?_assertMatch({ok, _}, {ok, 1})}].
-endif.

main() -> io:format("main/0~n").
main(Args) -> io:format("main/1 ~p~n", [Args]).
start() -> io:format("start~n"), halt(0).
crash() -> boom(1).
boom(X) -> X + list_to_integer("a").
sup() -> spawn(fun() -> error({in_process, [1, 2]}) end), timer:sleep(2000), halt(0).
echo() ->
    case io:get_line("") of
        eof -> halt(0);
        Line -> io:format("got ~s", [Line]), echo()
    end.
lines() ->
    {ok, [X, Y]} = io:fread("", "~d ~d"),
    io:format("sum ~w~n", [X + Y]),
    halt(0).
args() ->
    io:format("~p ~p~n", [init:get_plain_arguments(), init:get_argument(foo)]),
    halt(0).

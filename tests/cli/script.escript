#!/usr/bin/env escript
%%! -foo bar
main(["fail"]) -> halt(4);
main(["crash"]) -> error(script_crash);
main(["mod"]) -> io:format("~s ~p~n", [filename:basename(escript:script_name()), init:get_argument(foo)]);
main(Args) -> io:format("args ~p sum ~p~n", [Args, lists:sum([list_to_integer(A) || A <- Args])]).

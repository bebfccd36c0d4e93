%% regular expressions: compiled patterns, split and replace over a log.
%% repeat: 5
-module(b_regex).
-export([run/0]).
run() ->
    L = iolist_to_binary([["2024-01-", integer_to_list(10 + I rem 20), " 12:00:00 [info] user", integer_to_list(I), "@example.com GET /path/", integer_to_list(I), "?q=1\n"] || I <- lists:seq(1, 4000)]),
    {ok, P} = re:compile("(\\d{4})-(\\d\\d)-(\\d\\d).*?([\\w.]+)@([\\w.]+)"),
    {match, M} = re:run(L, P, [global, {capture, [4], binary}]),
    S = re:split(L, "\\s+"),
    R = re:replace(L, "GET (/\\S*)", "<\\1>", [global, {return, binary}]),
    {length(M), length(S), byte_size(R)}.

%% A server and its load, in two machines: the server on the one that is measured, the load on the other one.
%%
%% server/1: the kind; prints `port N` and serves until it is killed.
%% client/1: kind, port, connections, milliseconds; prints `rate NAME N`: requests (or bytes) a second, and `p99 NAME N`, the time in
%% microseconds below which 99 of 100 requests stayed.
-module(sockets).
-export([server/1, client/1]).

-define(LISTEN, [binary, {ip, {127, 0, 0, 1}}, {reuseaddr, true}, {backlog, 1024}, {nodelay, true}]).
-define(REQUEST, <<"GET /hello HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n">>).

server(["udp"]) ->
    {ok, S} = gen_udp:open(0, [binary, {ip, {127, 0, 0, 1}}, {active, 100}, {recbuf, 1 bsl 20}]),
    up(S),
    udp(S);
server([Kind]) ->
    {ok, L} = gen_tcp:listen(0, ?LISTEN ++ options(Kind)),
    up(L),
    [spawn(fun() -> accept(L, Kind) end) || _ <- lists:seq(1, 7)],
    accept(L, Kind).

up(S) ->
    {ok, Port} = inet:port(S),
    io:format("port ~w~n", [Port]).

options("http" ++ _) -> [{packet, http_bin}, {active, false}];
options(_) -> [{active, false}].

accept(L, Kind) ->
    {ok, S} = gen_tcp:accept(L),
    Pid = spawn(fun() -> receive go -> serve(Kind, S) end end),
    ok = gen_tcp:controlling_process(S, Pid),
    Pid ! go,
    accept(L, Kind).

serve("echo active", S) -> inet:setopts(S, [{active, once}]), active(S);
serve("echo passive", S) -> passive(S);
serve("http 64 kB", S) -> http(S, response(65536));
serve("http" ++ _, S) -> http(S, response(13));
serve("stream out", S) -> stream(S, binary:copy(<<"x">>, 65536));
serve("stream in", S) -> sink(S).

active(S) ->
    receive
        {tcp, S, Data} -> gen_tcp:send(S, Data), inet:setopts(S, [{active, once}]), active(S);
        {tcp_closed, S} -> ok
    end.

passive(S) ->
    case gen_tcp:recv(S, 0) of
        {ok, Data} -> gen_tcp:send(S, Data), passive(S);
        _ -> gen_tcp:close(S)
    end.

response(N) ->
    [<<"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ">>, integer_to_binary(N), <<"\r\n\r\n">>, binary:copy(<<"x">>, N)].

http(S, Response) ->
    case gen_tcp:recv(S, 0) of
        {ok, {http_request, _, _, _}} -> header(S, Response);
        _ -> gen_tcp:close(S)
    end.
header(S, Response) ->
    case gen_tcp:recv(S, 0) of
        {ok, http_eoh} -> gen_tcp:send(S, Response), http(S, Response);
        {ok, {http_header, _, _, _, _}} -> header(S, Response);
        _ -> gen_tcp:close(S)
    end.

stream(S, B) ->
    case gen_tcp:send(S, B) of
        ok -> stream(S, B);
        _ -> gen_tcp:close(S)
    end.

sink(S) ->
    case gen_tcp:recv(S, 0) of
        {ok, _} -> sink(S);
        _ -> gen_tcp:close(S)
    end.

udp(S) ->
    receive
        {udp, S, A, P, D} -> gen_udp:send(S, A, P, D), udp(S);
        {udp_passive, S} -> inet:setopts(S, [{active, 100}]), udp(S)
    end.

client([Kind, Port0, Connections0, Ms0]) ->
    [Port, Connections, Ms] = [list_to_integer(X) || X <- [Port0, Connections0, Ms0]],
    Me = self(),
    Begin = erlang:monotonic_time(microsecond),
    End = Begin + Ms * 1000,
    [spawn_link(fun() -> Me ! {done, load(Kind, Port, End)} end) || _ <- lists:seq(1, Connections)],
    Results = [receive {done, R} -> R end || _ <- lists:seq(1, Connections)],
    Time = erlang:monotonic_time(microsecond) - Begin,
    Count = lists:sum([N || {N, _} <- Results]),
    Times = lists:sort(lists:append([T || {_, T} <- Results])),
    io:format("rate ~ts ~w~n", [Kind, Count * 1000000 div Time]),
    [io:format("p99 ~ts ~w~n", [Kind, lists:nth(max(1, length(Times) * 99 div 100), Times)]) || Times =/= []],
    erlang:halt(0).

connect(Port) ->
    {ok, S} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}, {nodelay, true}, {buffer, 65536}]),
    S.

load("udp", Port, End) ->
    {ok, S} = gen_udp:open(0, [binary, {ip, {127, 0, 0, 1}}, {active, false}]),
    ok = gen_udp:connect(S, {127, 0, 0, 1}, Port),
    requests(fun() -> ok = gen_udp:send(S, <<"0123456789abcdef">>), {ok, _} = gen_udp:recv(S, 0, 5000), 1 end, End);
load("http one request", Port, End) ->
    requests(fun() ->
        S = connect(Port),
        ok = gen_tcp:send(S, ?REQUEST),
        ok = body(S, 13),
        gen_tcp:close(S),
        1
    end, End);
load("http 64 kB", Port, End) -> requests(http_load(connect(Port), 65536), End);
load("http" ++ _, Port, End) -> requests(http_load(connect(Port), 13), End);
load("echo" ++ _, Port, End) ->
    S = connect(Port),
    Data = <<"0123456789abcdef0123456789abcdef">>,
    requests(fun() -> ok = gen_tcp:send(S, Data), {ok, Data} = gen_tcp:recv(S, byte_size(Data), 5000), 1 end, End);
load("stream out", Port, End) ->
    S = connect(Port),
    bytes(fun() -> {ok, D} = gen_tcp:recv(S, 0, 5000), byte_size(D) end, End, 0);
load("stream in", Port, End) ->
    S = connect(Port),
    B = binary:copy(<<"x">>, 65536),
    bytes(fun() -> ok = gen_tcp:send(S, B), byte_size(B) end, End, 0).

http_load(S, N) -> fun() -> ok = gen_tcp:send(S, ?REQUEST), ok = body(S, N), 1 end.

body(S, N) -> body(S, N, <<>>).
body(S, N, Before) ->
    {ok, D} = gen_tcp:recv(S, 0, 5000),
    All = <<Before/binary, D/binary>>,
    case binary:split(All, <<"\r\n\r\n">>) of
        [_, Part] -> rest(S, N - byte_size(Part));
        _ -> body(S, N, All)
    end.
rest(_, 0) -> ok;
rest(S, N) -> {ok, D} = gen_tcp:recv(S, 0, 5000), rest(S, N - byte_size(D)).

%% The number of requests and the time of each tenth one.
requests(F, End) -> requests(F, End, erlang:monotonic_time(microsecond), 0, []).
requests(_, End, Now, N, Times) when Now >= End -> {N, Times};
requests(F, End, Now, N, Times) ->
    1 = F(),
    Then = erlang:monotonic_time(microsecond),
    requests(F, End, Then, N + 1, if N rem 10 =:= 0 -> [Then - Now | Times]; true -> Times end).

bytes(F, End, N) ->
    case erlang:monotonic_time(microsecond) >= End of
        true -> {N, []};
        false -> bytes(F, End, N + F())
    end.

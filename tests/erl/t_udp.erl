%% gen_udp over the driver, over loopback.
%% modes: plain interp native chaos gc-stress
-module(t_udp).
-include("diff.hrl").

n(P) when is_port(P) -> port;
n(R) when is_reference(R) -> reference;
n({udp, S, A, P, D}) -> {udp, n(S), n(A), is_integer(P), D};
n({udp, S, A, P, X, D}) -> {udp, n(S), n(A), is_integer(P), X, D};
n(T) when is_tuple(T) -> list_to_tuple(n(tuple_to_list(T)));
n([H | T]) -> [n(H) | n(T)];
n(X) -> X.

got(T) -> receive M -> [n(M) | got(T)] after T -> [] end.
flush() -> receive _ -> flush() after 0 -> ok end.

with(AO, BO, F) ->
    {ok, A} = gen_udp:open(0, [{ip, {127, 0, 0, 1}} | AO]),
    {ok, B} = gen_udp:open(0, [{ip, {127, 0, 0, 1}} | BO]),
    {ok, P} = inet:port(A),
    R = n(F(A, B, P)),
    gen_udp:close(A),
    gen_udp:close(B),
    flush(),
    R.

to(B, P, D) -> gen_udp:send(B, {127, 0, 0, 1}, P, D).

%% A datagram without the port it came from.
recv(S, T) ->
    case gen_udp:recv(S, 0, T) of
        {ok, {A, _, D}} -> {ok, A, D};
        {ok, {A, _, X, D}} -> {ok, A, X, D};
        E -> E
    end.

passive() ->
    [with([M, {active, false}], [], fun(A, B, P) ->
        [{to(B, P, D), recv(A, 1000)} || D <- ["a", <<"b">>, [], ["io", <<"list">>], binary:copy(<<"x">>, 1400)]] ++ [recv(A, 0), recv(A, 10)]
    end) || M <- [list, binary]].

active() ->
    with([binary, {active, true}], [], fun(A, B, P) ->
        R = [begin ok = to(B, P, [I]), got(200) end || I <- [1, 2]],
        X = [begin ok = inet:setopts(A, [O]), ok = to(B, P, "y"), Y = got(200), {O, Y, inet:getopts(A, [active])} end || O <- [{active, once}, {active, 2}, {active, 1}, {mode, list}, {active, false}]],
        Z = [recv(A, 300), recv(A, 10)],
        {R, X, Z, gen_udp:recv(B, 0, 10)}
    end).

headers() ->
    [with([M, {active, A0}, {header, H}], [], fun(A, B, P) ->
        ok = to(B, P, "abc"),
        case A0 of true -> got(200); false -> recv(A, 300) end
    end) || M <- [list, binary], A0 <- [true, false], H <- [0, 1, 3, 4]].

truncated() ->
    with([binary, {active, false}, {buffer, 10}], [], fun(A, B, P) ->
        ok = to(B, P, <<"0123456789abcdef">>),
        R = recv(A, 500),
        {R, inet:getopts(A, [buffer]), inet:setopts(A, [{recbuf, 5000}]), inet:getopts(A, [buffer])}
    end).

too_long() -> with([], [], fun(_, B, P) -> to(B, P, binary:copy(<<"x">>, 70000)) end).

connected() ->
    with([binary, {active, false}], [binary, {active, false}], fun(A, B, P) ->
        R = [gen_udp:connect(B, {127, 0, 0, 1}, P), gen_udp:send(B, "one"), recv(A, 500), element(1, element(2, inet:peername(B)))],
        {ok, Q} = inet:port(B),
        X = [to(A, Q, "back"), recv(B, 500), prim_inet:getstatus(B), prim_inet:getstatus(A)],
        gen_udp:close(A),
        Y = [gen_udp:send(B, "two"), timer:sleep(20), gen_udp:send(B, "three"), recv(B, 50), recv(B, 50)],
        {R, X, Y}
    end).

connected_active() ->
    with([binary, {active, false}], [binary, {active, true}], fun(A, B, P) ->
        ok = gen_udp:connect(B, {127, 0, 0, 1}, P),
        gen_udp:close(A),
        R = gen_udp:send(B, "x"),
        {R, got(200)}
    end).

two_receivers() ->
    with([binary, {active, false}], [], fun(A, B, P) ->
        Me = self(),
        spawn_link(fun() -> Me ! {one, recv(A, 2000)} end),
        timer:sleep(50),
        R = recv(A, 10),
        ok = to(B, P, "x"),
        {R, got(200)}
    end).

closing() ->
    with([binary, {active, false}], [], fun(A, B, P) ->
        Me = self(),
        spawn_link(fun() -> Me ! {one, recv(A, 2000)} end),
        timer:sleep(50),
        gen_udp:close(A),
        [got(200), cr(fun() -> recv(A, 10) end), to(B, P, "x"), gen_udp:send(A, {127, 0, 0, 1}, P, "x"), inet:port(A), inet:peername(B), gen_udp:close(A)]
    end).

options() ->
    with([{active, false}], [], fun(A, _, _) ->
        [inet:setopts(A, [{multicast_if, I}]) || I <- [{127, 0, 0, 1}, {1, 2, 3, 4}]] ++ [{O, inet:setopts(A, [O]), inet:getopts(A, [element(1, O)])} || O <- [{broadcast, true}, {multicast_ttl, 5}, {multicast_loop, false}, {add_membership, {{224, 1, 1, 1}, {127, 0, 0, 1}}}, {drop_membership, {{224, 1, 1, 1}, {127, 0, 0, 1}}}, {drop_membership, {{224, 1, 1, 1}, {127, 0, 0, 1}}}, {add_membership, {{1, 1, 1, 1}, {127, 0, 0, 1}}}, {read_packets, 7}, {read_packets, 0}, {buffer, 100}, {header, 2}, {tos, 16}, {ttl, 3}, {priority, 2}, {recvtos, true}, {recvttl, true}, {recvtclass, true}, {tclass, 1}, {ipv6_v6only, true}, {nodelay, true}, {keepalive, true}, {packet, 1}, {send_timeout, 1}, {high_watermark, 5}, {delay_send, true}, {exit_on_close, false}, {reuseaddr, true}, {dontroute, true}, {mode, list}, {deliver, port}, {raw, 1, 2, <<1:32/native>>}]] ++
        [cr(fun() -> inet:setopts(A, [O]) end) || O <- [{add_membership, a}, {multicast_if, a}, {broadcast, 1}, {active, a}]]
    end).

defaults() ->
    O = [active, mode, header, read_packets, broadcast, multicast_ttl, multicast_loop, high_msgq_watermark, low_msgq_watermark, deliver, dontroute, priority, tos, ttl, reuseaddr, recvtos, recvttl, bind_to_device, buffer, packet, exit_on_close, linger],
    with([], [], fun(A, _, _) -> inet:getopts(A, O) end).

ancillary() ->
    with([binary, {active, false}, {recvtos, true}, {recvttl, true}], [], fun(A, B, P) ->
        ok = to(B, P, "a"),
        R = recv(A, 500),
        ok = gen_udp:send(B, {{127, 0, 0, 1}, P}, [{tos, 8}], "b"),
        X = recv(A, 500),
        ok = gen_udp:send(B, {{127, 0, 0, 1}, P}, [{ttl, 9}, {tos, 16}], "c"),
        ok = inet:setopts(A, [{active, true}]),
        {R, X, got(200), cr(fun() -> gen_udp:send(B, {{127, 0, 0, 1}, P}, [{nodelay, true}], "d") end), cr(fun() -> gen_udp:send(B, {{127, 0, 0, 1}, P}, [bad], "d") end)}
    end).

bad_addresses() ->
    with([], [], fun(_, B, P) ->
        [cr(fun() -> gen_udp:send(B, A, P, "x") end) || A <- [{127, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 1}, {300, 0, 0, 1}, a, {255, 255, 255, 255}]] ++
        [cr(fun() -> gen_udp:send(B, {127, 0, 0, 1}, Q, "x") end) || Q <- [70000, a, 0]] ++
        [cr(fun() -> gen_udp:send(B, {127, 0, 0, 1}, P, D) end) || D <- [a, [a], [256]]] ++
        [cr(fun() -> gen_udp:open(P, [{ip, {127, 0, 0, 1}}]) end), cr(fun() -> gen_udp:open(0, [{ip, {1, 2, 3, 4}}]) end), cr(fun() -> gen_udp:open(0, [bad]) end), cr(fun() -> gen_udp:send(B, "x") end)]
    end).

multicast() ->
    {ok, A} = gen_udp:open(0, [binary, {reuseaddr, true}, {multicast_if, {127, 0, 0, 1}}, {add_membership, {{224, 0, 0, 99}, {127, 0, 0, 1}}}, {multicast_loop, true}, {active, false}]),
    {ok, P} = inet:port(A),
    R = [gen_udp:send(A, {224, 0, 0, 99}, P, "all"), recv(A, 500)],
    gen_udp:close(A),
    R.

ipv6() ->
    {ok, A} = gen_udp:open(0, [inet6, binary, {ip, {0, 0, 0, 0, 0, 0, 0, 1}}, {active, false}]),
    {ok, P} = inet:port(A),
    R = [gen_udp:send(A, {0, 0, 0, 0, 0, 0, 0, 1}, P, "six"), recv(A, 500), inet:setopts(A, [{recvtclass, true}]), gen_udp:send(A, {0, 0, 0, 0, 0, 0, 0, 1}, P, "seven"), recv(A, 500), inet:setopts(A, [{active, once}]), gen_udp:send(A, {0, 0, 0, 0, 0, 0, 0, 1}, P, "eight"), got(200), inet:getopts(A, [multicast_ttl, multicast_loop, tclass])],
    gen_udp:close(A),
    n(R).

local() ->
    Base = filename:join("/tmp", "t_udp_" ++ os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive]))),
    {F, G} = {Base ++ "a", Base ++ "b"},
    {ok, A} = gen_udp:open(0, [{ifaddr, {local, F}}, binary, {active, false}]),
    {ok, B} = gen_udp:open(0, [{ifaddr, {local, G}}, binary, {active, true}]),
    {ok, C} = gen_udp:open(0, [local, binary, {active, true}]),
    X = [gen_udp:send(B, {local, F}, 0, "to a"), (catch gen_udp:recv(A, 0, 500)) =:= {ok, {{local, list_to_binary(G)}, 0, <<"to a">>}}, gen_udp:send(A, {local, G}, 0, "to b"), [element(1, M) || M <- got(200)], gen_udp:send(C, {local, F}, 0, "from c"), cr(fun() -> gen_udp:recv(A, 0, 500) end), inet:sockname(C), gen_udp:send(C, {local, Base}, 0, "nobody")],
    [gen_udp:close(S) || S <- [A, B, C]],
    [file:delete(N) || N <- [F, G]],
    X.

statistics() ->
    with([binary, {active, false}], [], fun(A, B, P) ->
        [begin ok = to(B, P, binary:copy(<<"x">>, N)), {ok, _, _} = recv(A, 500) end || N <- [1, 20, 3]],
        {inet:getstat(B, [send_cnt, send_max, send_avg, send_oct, send_pend]), inet:getstat(A, [recv_cnt, recv_max, recv_avg, recv_oct]), erlang:port_info(A, input), erlang:port_info(A, name)}
    end).

owners() ->
    with([binary, {active, true}], [], fun(A, B, P) ->
        Me = self(),
        Q = spawn_link(fun() -> receive go -> Me ! {got, got(200)} end end),
        R = gen_udp:controlling_process(A, Q),
        Q ! go,
        ok = to(B, P, "for q"),
        receive {got, M} -> {R, M} after 1000 -> none end
    end).

many() ->
    with([binary, {active, true}, {recbuf, 1000000}], [], fun(_, B, P) ->
        [ok = to(B, P, <<N:32>>) || N <- lists:seq(1, 500)],
        length([N || {udp, port, _, _, <<N:32>>} <- got(300)])
    end).

pings() ->
    with([binary, {active, once}], [binary, {active, false}], fun(A, B, P) ->
        Q = spawn_link(fun() -> receive go -> pong(A) end end),
        ok = gen_udp:controlling_process(A, Q),
        Q ! go,
        [begin ok = to(B, P, <<N:32>>), {ok, _, <<N:32>>} = recv(B, 2000) end || N <- lists:seq(1, 300)],
        unlink(Q), exit(Q, kill),
        done
    end).
pong(S) -> receive {udp, S, A, P, D} -> ok = gen_udp:send(S, A, P, D), inet:setopts(S, [{active, once}]), pong(S) end.

%% What the system says of SCTP where it has none.
sctp(Options) ->
    case gen_sctp:open(Options) of
        {ok, S} -> gen_sctp:close(S), there_is_sctp;
        {error, enotsup} -> there_is_sctp;
        Other -> Other
    end.

cases() ->
    [{sctp, fun() -> [c(fun() -> sctp(O) end) || O <- [[], [inet6], [{type, stream}], [{type, seqpacket}], [{foo, bar}], [{netns, "/"}], [{netns, "/nowhere"}]]] end},
     {passive, fun passive/0}, {active, fun active/0}, {headers, fun headers/0}, {truncated, fun truncated/0}, {too_long, fun too_long/0}, {connected, fun connected/0}, {connected_active, fun connected_active/0}, {two_receivers, fun two_receivers/0}, {closing, fun closing/0}, {options, fun options/0}, {defaults, fun defaults/0}, {ancillary, fun ancillary/0}, {bad_addresses, fun bad_addresses/0}, {multicast, fun multicast/0}, {ipv6, fun ipv6/0}, {local, fun local/0}, {statistics, fun statistics/0}, {owners, fun owners/0}, {many, fun many/0}, {pings, fun pings/0}].

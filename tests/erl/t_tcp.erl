%% gen_tcp over the driver: client and server in one node, over loopback.
%% modes: plain interp native chaos gc-stress
-module(t_tcp).
-include("diff.hrl").

%% What differs from run to run has no place in a result.
n(P) when is_port(P) -> port;
n(P) when is_pid(P) -> pid;
n(R) when is_reference(R) -> reference;
n(T) when is_tuple(T) -> list_to_tuple(n(tuple_to_list(T)));
n([H | T]) -> [n(H) | n(T)];
n(X) -> X.

pair(O) -> pair(O, O).
pair(LO, CO) ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {reuseaddr, true} | LO]),
    {ok, N} = inet:port(L),
    {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, CO, 5000),
    {ok, S} = gen_tcp:accept(L, 5000),
    ok = gen_tcp:close(L),
    {S, C}.

ends({S, C}) -> gen_tcp:close(S), gen_tcp:close(C), ok.

with(O, F) -> with(O, O, F).
with(LO, CO, F) ->
    P = {S, C} = pair(LO, CO),
    R = n(F(S, C)),
    ends(P),
    flush(),
    R.

flush() -> receive _ -> flush() after 0 -> ok end.

%% Messages until none comes for a while.
got() -> got(120).
got(T) -> receive M -> [n(M) | got(T)] after T -> [] end.

%% All that a socket gives.
all(S) -> all(S, 1000).
all(S, T) ->
    case gen_tcp:recv(S, 0, T) of
        {ok, D} -> [D | all(S, T)];
        E -> [E]
    end.

in_proc(F) ->
    {P, M} = spawn_monitor(fun() -> exit({value, F()}) end),
    receive {'DOWN', M, process, P, {value, V}} -> V; {'DOWN', M, process, P, R} -> {died, n(R)} after 20000 -> hangs end.

echo() ->
    [with([M, {active, false}], fun(S, C) ->
        [begin
            ok = gen_tcp:send(C, D),
            {ok, X} = gen_tcp:recv(S, iolist_size(D), 5000),
            ok = gen_tcp:send(S, X),
            {ok, Y} = gen_tcp:recv(C, iolist_size(D), 5000),
            erlang:phash2({X, Y})
        end || D <- ["a", <<"binary">>, ["io", [<<"l">>, "i"] | <<"st">>], binary:copy(<<"0123456789">>, 1000), [binary:copy(<<"abc">>, 50), 7, binary:copy(<<"d">>, 70)]]]
    end) || M <- [list, binary]].

large() ->
    with([binary, {active, false}], fun(S, C) ->
        D = << <<N:32>> || N <- lists:seq(1, 500000) >>,
        spawn_link(fun() -> ok = gen_tcp:send(C, [D, "x", D]), receive after infinity -> ok end end),
        {ok, A} = gen_tcp:recv(S, byte_size(D), 20000),
        {ok, B} = gen_tcp:recv(S, 1, 20000),
        {ok, E} = gen_tcp:recv(S, byte_size(D), 20000),
        {A =:= D, B, E =:= D}
    end).

lengths() ->
    with([binary, {active, false}], fun(S, C) ->
        ok = gen_tcp:send(C, <<"abcdefghij">>),
        R = [gen_tcp:recv(S, N, 1000) || N <- [1, 2, 3]],
        R ++ [gen_tcp:recv(S, 5, 100), gen_tcp:recv(S, 4, 100), gen_tcp:recv(S, 0, 50), gen_tcp:recv(S, 1 bsl 27, 0), c(fun() -> gen_tcp:recv(S, -1, 0) end), c(fun() -> gen_tcp:recv(S, a) end)]
    end).

sized() ->
    [with([binary, {active, false}, {packet, P}], fun(S, C) ->
        [ok = gen_tcp:send(C, D) || D <- [<<>>, <<"a">>, "list", binary:copy(<<"x">>, 200)]],
        A = [gen_tcp:recv(S, 0, 2000) || _ <- [1, 2, 3, 4]],
        ok = inet:setopts(S, [{packet, raw}]),
        ok = gen_tcp:send(C, <<"raw">>),
        B = gen_tcp:recv(S, P + 3, 2000),
        E = [gen_tcp:recv(C, 1, 0), gen_tcp:send(C, binary:copy(<<1>>, 256)) =:= ok orelse gen_tcp:send(C, binary:copy(<<1>>, 256))],
        {A, B, E}
    end) || P <- [1, 2, 4]].

too_long() ->
    [with([binary, {active, A}, {packet, 4}, {packet_size, 10}], [binary, {active, false}], fun(S, C) ->
        ok = gen_tcp:send(C, <<0, 0, 0, 3, "abc", 0, 0, 0, 11, "too long...">>),
        case A of
            false -> {gen_tcp:recv(S, 0, 1000), gen_tcp:recv(S, 0, 1000), gen_tcp:recv(S, 0, 1000)};
            _ -> process_flag(trap_exit, true), X = got(), process_flag(trap_exit, false), X
        end
    end) || A <- [false, true, once, 2]].

streams() ->
    [{asn1, [<<48, 3, 1, 2, 3, 4, 1, 9, 48, 130, 0, 3, 1, 2, 3>>]},
     {sunrm, [<<128, 0, 0, 2, 1, 2>>, <<0, 0, 0, 1, 7>>]},
     {cdr, [<<"GIOP", 1, 2, 0, 3, 0, 0, 0, 2, 1, 2>>, <<"GIOP", 1, 2, 1, 3, 2, 0, 0, 0, 1, 2>>]},
     {fcgi, [<<1, 7, 0, 1, 0, 2, 3, 0, 1, 2, 9, 9, 9>>, <<1, 7, 0, 1, 0, 0, 0, 0>>]},
     {tpkt, [<<3, 0, 0, 6, 1, 2>>, <<3, 0, 0, 4>>]},
     {line, [<<"one\ntwo\r\n">>, <<"thr">>, <<"ee\n">>, <<"\n">>, <<"rest">>]},
     {http, [<<"GET / HTTP/1.1\r\nHost: a\r\nX-y:">>, <<" z\r\n\r\nPOST http://h:1/p HTTP/1.0\r\n\r\n">>, <<"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n">>, <<"no\r\n">>, <<"\r\n">>, <<"GET * HTTP/1.1\r\nbad\r\nC: d\r\n\r\n">>]},
     {http_bin, [<<"GET /x HTTP/1.1\r\nHost: a\r\nFoo: z\r\n\r\n">>, <<"(\r\n">>]},
     {httph, [<<"Host: a\r\nB: c\r\n\r\nD: e\r\n">>, <<"x\r\n">>]},
     {httph_bin, [<<"Host: a\r\nB: c\r\n\r\nD: e\r\n">>, <<"x\r\n">>]},
     {ssl_tls, [<<22, 3, 1, 0, 2, 7, 8>>, <<128, 5, 1, 3, 0, 1, 2>>, <<23, 3, 3, 0, 0>>]}].

packets(How) ->
    [{T, M, with([M, {active, false}, {packet, T}], [binary, {active, false}, {nodelay, true}], fun(S, C) ->
        How(S, C, Parts)
    end)} || {T, Parts} <- streams(), M <- [binary, list]].

packets_passive() ->
    packets(fun(S, C, Parts) ->
        [ok = gen_tcp:send(C, P) || P <- Parts],
        gen_tcp:shutdown(C, write),
        all(S)
    end).

packets_active() ->
    packets(fun(S, C, Parts) ->
        ok = inet:setopts(S, [{active, true}]),
        [begin ok = gen_tcp:send(C, P), timer:sleep(10) end || P <- Parts],
        gen_tcp:shutdown(C, write),
        got()
    end).

packets_wrong() ->
    [{T, with([binary, {active, false}, {packet, T}], [binary, {active, false}], fun(S, C) ->
        ok = gen_tcp:send(C, B),
        [gen_tcp:recv(S, 0, 300), gen_tcp:recv(S, 0, 300), gen_tcp:recv(S, 0, 300)]
    end)} || {T, B} <- [{asn1, <<48, 133, 0, 0, 0, 0, 1, 2>>}, {cdr, <<"GIOQ", 1, 2, 0, 3, 0, 0, 0, 2, 1, 2>>}, {fcgi, <<2, 7, 0, 1, 0, 2, 3, 0, 1>>}, {tpkt, <<4, 0, 0, 6, 1, 2>>}, {tpkt, <<3, 0, 0, 2>>}, {4, <<255, 255, 255, 255>>}, {ssl_tls, <<128, 2, 1, 3>>}]].

%% One byte at a time.
trickle() ->
    [{T, with([binary, {active, true}, {packet, T}], [binary, {active, false}, {nodelay, true}], fun(_, C) ->
        [begin ok = gen_tcp:send(C, <<B>>), timer:sleep(1) end || <<B>> <= iolist_to_binary(hd(Parts))],
        got()
    end)} || {T, Parts} <- streams(), T =/= httph_bin].

long_lines() ->
    [with([binary, {active, false}, {packet, line}, {buffer, B}], [binary], fun(S, C) ->
        ok = gen_tcp:send(C, [lists:duplicate(N, $x), "\nend\n"]),
        gen_tcp:shutdown(C, write),
        [try byte_size(D) catch _:_ -> {X, D} end || {X, D} <- recvs(S)]
    end) || B <- [10, 100], N <- [5, 9, 10, 11, 25, 99, 100, 250]].
recvs(S) -> case gen_tcp:recv(S, 0, 1000) of {ok, D} -> [{ok, D} | recvs(S)]; E -> [E] end.

delimiter() ->
    with([binary, {active, false}, {packet, line}], [binary], fun(S, C) ->
        ok = inet:setopts(S, [{line_delimiter, $|}]),
        ok = gen_tcp:send(C, "a|b\nc|d"),
        gen_tcp:shutdown(C, write),
        all(S)
    end).

headers() ->
    [with([M, {active, false}, {header, H}], fun(S, C) ->
        ok = gen_tcp:send(C, "abc"),
        A = gen_tcp:recv(S, 3, 1000),
        ok = inet:setopts(S, [{active, true}]),
        ok = gen_tcp:send(C, "def"),
        {A, got(250)}
    end) || M <- [binary, list], H <- [0, 1, 3, 4]].

modes() ->
    with([binary, {active, false}], fun(S, C) ->
        [begin
            ok = inet:setopts(S, O),
            ok = gen_tcp:send(C, "xyz"),
            R = case proplists:get_value(active, O) of
                false -> gen_tcp:recv(S, 0, 500);
                _ -> got(250)
            end,
            {O, R, inet:getopts(S, [active, mode, deliver, packet, header])}
        end || O <- [[list, {active, false}], [list, {active, true}], [binary, {active, once}], [{mode, list}, {active, 1}], [{mode, binary}, {active, 3}], [{active, false}], [{active, once}, {deliver, port}], [{deliver, term}, {active, true}, {header, 2}], [{active, false}, {header, 0}]]]
    end).

active_count() ->
    with([binary, {active, false}, {packet, 1}], fun(S, C) ->
        A = [{N, inet:setopts(S, [{active, N}]), inet:getopts(S, [active])} || N <- [2, 3, -1, 0]],
        [ok = gen_tcp:send(C, [I]) || I <- lists:seq(1, 6)],
        B = got(),
        D = [{N, inet:setopts(S, [{active, N}]), inet:getopts(S, [active]), got(150)} || N <- [1, -5, 0, 32767, 1, -32768, 32768, -32769]],
        E = inet:setopts(S, [{active, once}]),
        ok = gen_tcp:send(C, "z"),
        {A, B, D, E, got(250), inet:getopts(S, [active])}
    end).

active_once() ->
    with([binary, {active, false}, {packet, 1}], fun(S, C) ->
        [ok = gen_tcp:send(C, [I]) || I <- lists:seq(1, 3)],
        A = [begin ok = inet:setopts(S, [{active, once}]), got(250) end || _ <- [1, 2]],
        {A, gen_tcp:recv(S, 0, 100), gen_tcp:recv(S, 0, 10)}
    end).

recv_while_active() ->
    with([binary, {active, true}], fun(S, C) ->
        A = gen_tcp:recv(S, 0, 100),
        ok = gen_tcp:send(C, "a"),
        {A, got(250)}
    end).

two_receivers() ->
    with([binary, {active, false}], fun(S, C) ->
        Me = self(),
        P = spawn(fun() -> Me ! {one, gen_tcp:recv(S, 0)} end),
        timer:sleep(50),
        A = gen_tcp:recv(S, 0, 100),
        B = inet:setopts(S, [{active, once}]),
        ok = gen_tcp:send(C, "x"),
        X = got(250),
        exit(P, kill),
        {A, B, X}
    end).

closing_passive() ->
    [with([binary, {active, false}, {exit_on_close, X}], [binary, {active, false}], fun(S, C) ->
        ok = gen_tcp:send(C, "last"),
        ok = gen_tcp:close(C),
        [gen_tcp:recv(S, 0, 1000), gen_tcp:recv(S, 0, 1000), gen_tcp:recv(S, 0, 1000), inet:getopts(S, [active]), inet:peername(S) =:= {error, enotconn}, gen_tcp:recv(S, 0, 1000)]
    end) || X <- [true, false]].

closing_active() ->
    [with([binary, {active, A}, {exit_on_close, X}], [binary, {active, false}], fun(S, C) ->
        ok = gen_tcp:send(C, "last"),
        ok = gen_tcp:close(C),
        {got(250), gen_tcp:recv(S, 0, 100), erlang:port_info(S, connected) =/= undefined, inet:getopts(S, [active]), inet:setopts(S, [{active, true}]), got(250)}
    end) || A <- [true, once, 5], X <- [true, false]].

half_closed() ->
    with([binary, {active, false}, {exit_on_close, false}], fun(S, C) ->
        ok = gen_tcp:send(C, "question"),
        ok = gen_tcp:shutdown(C, write),
        A = all(S),
        ok = gen_tcp:send(S, "answer"),
        R = gen_tcp:recv(C, 0, 1000),
        B = gen_tcp:send(C, "more"),
        D = [gen_tcp:shutdown(S, write), gen_tcp:shutdown(S, write), gen_tcp:recv(C, 0, 1000), gen_tcp:recv(C, 0, 1000)],
        {A, B, R, D}
    end).

shut_read() ->
    with([binary, {active, false}], fun(S, C) ->
        A = gen_tcp:shutdown(S, read),
        {A, gen_tcp:recv(S, 0, 200), gen_tcp:shutdown(C, read_write), gen_tcp:recv(C, 0, 100), gen_tcp:send(C, "x")}
    end).

%% The other side is gone: what sending says.
send_to_closed() ->
    [with([binary, {active, A}, {show_econnreset, W}], [binary, {active, false}], fun(S, C) ->
        ok = gen_tcp:close(C),
        timer:sleep(50),
        X = got(150),
        B = [begin timer:sleep(30), gen_tcp:send(S, "x") end || _ <- [1, 2, 3]],
        {X, B, gen_tcp:recv(S, 0, 50), gen_tcp:recv(S, 0, 50), got(150)}
    end) || A <- [false, true], W <- [false, true]].

resets() ->
    [with([binary, {active, A}, {show_econnreset, W}], [binary, {active, false}], fun(S, C) ->
        process_flag(trap_exit, true),
        link(S),
        ok = inet:setopts(C, [{linger, {true, 0}}]),
        ok = gen_tcp:close(C),
        timer:sleep(50),
        X = got(150),
        R = case How of recv -> [gen_tcp:recv(S, 0, 100), gen_tcp:send(S, "x"), gen_tcp:recv(S, 0, 100)]; send -> [gen_tcp:send(S, "x"), gen_tcp:send(S, "x"), gen_tcp:recv(S, 0, 100), gen_tcp:recv(S, 0, 100)] end,
        Y = got(150),
        process_flag(trap_exit, false),
        {A, W, How, X, R, Y}
    end) || A <- [false, true, once], W <- [false, true], How <- [recv, send]].

timeouts() ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    A = [gen_tcp:accept(L, 0), gen_tcp:accept(L, 20), gen_tcp:accept(L, 1), c(fun() -> gen_tcp:accept(L, a) end)],
    gen_tcp:close(L),
    B = with([binary, {active, false}], fun(S, C) ->
        X = [gen_tcp:recv(S, 0, 0), gen_tcp:recv(S, 0, 10), gen_tcp:recv(S, 5, 10)],
        ok = gen_tcp:send(C, "abc"),
        Y = [gen_tcp:recv(S, 5, 50), gen_tcp:recv(S, 3, 50), gen_tcp:recv(S, 0, 5)],
        {X, Y}
    end),
    {A, B, gen_tcp:accept(L, 10)}.

refused() ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, P} = inet:port(L),
    gen_tcp:close(L),
    [gen_tcp:connect({127, 0, 0, 1}, P, []), gen_tcp:connect({127, 0, 0, 1}, P, [{ip, {1, 2, 3, 4}}]), gen_tcp:connect("no.such.host.invalid", 1, []) =/= ok,
     cr(fun() -> gen_tcp:connect({127, 0, 0, 1}, P, [{bad, option}]) end), cr(fun() -> gen_tcp:connect({127, 0, 0, 1}, 70000, []) end), cr(fun() -> gen_tcp:listen(70000, []) end), cr(fun() -> gen_tcp:listen(0, [bad]) end), cr(fun() -> gen_tcp:listen(0, [{ip, {1, 2, 3, 4}}]) end), cr(fun() -> gen_tcp:connect({127, 0, 0, 1}, P, [{ifaddr, {0, 0, 0, 0, 0, 0, 0, 1}}]) end)].

in_use() ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, P} = inet:port(L),
    R = gen_tcp:listen(P, [{ip, {127, 0, 0, 1}}]),
    gen_tcp:close(L),
    {R, gen_tcp:accept(L, 10), inet:port(L), inet:sockname(L), gen_tcp:close(L), inet:setopts(L, [{active, true}]), inet:getopts(L, [active])}.

acceptors() ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    {ok, N} = inet:port(L),
    Me = self(),
    A = [begin
        P = spawn_link(fun() -> {ok, S} = gen_tcp:accept(L, 5000), Me ! {I, gen_tcp:recv(S, 1, 3000)}, receive stop -> ok end end),
        timer:sleep(20),
        P
    end || I <- lists:seq(1, 5)],
    C = [begin {ok, S} = gen_tcp:connect({127, 0, 0, 1}, N, []), ok = gen_tcp:send(S, [I]), S end || I <- "abcde"],
    R = lists:sort([receive {I, V} -> {I, V} after 5000 -> none end || _ <- A]),
    [P ! stop || P <- A],
    [gen_tcp:close(S) || S <- C],
    gen_tcp:close(L),
    R.

dead_acceptor() ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    {ok, N} = inet:port(L),
    {P, M} = spawn_monitor(fun() -> gen_tcp:accept(L) end),
    timer:sleep(30),
    Me = self(),
    Q = spawn_link(fun() -> Me ! {second, element(1, gen_tcp:accept(L, 3000))}, receive stop -> ok end end),
    timer:sleep(30),
    exit(P, kill),
    receive {'DOWN', M, _, _, _} -> ok end,
    {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, []),
    R = receive {second, V} -> V after 4000 -> none end,
    Q ! stop,
    gen_tcp:close(C),
    gen_tcp:close(L),
    R.

closed_while_waiting() ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    Me = self(),
    [spawn(fun() -> Me ! {accept, gen_tcp:accept(L)} end) || _ <- [1, 2, 3]],
    timer:sleep(50),
    gen_tcp:close(L),
    A = got(250),
    B = with([binary, {active, false}], fun(S, _) ->
        spawn(fun() -> Me ! {recv, gen_tcp:recv(S, 0)} end),
        timer:sleep(50),
        gen_tcp:close(S),
        got(250)
    end),
    {A, B}.

inherited() ->
    with([binary, {active, once}, {packet, 2}, {header, 1}, {packet_size, 100}, {nodelay, true}, {keepalive, true}, {exit_on_close, false}, {high_watermark, 5000}, {low_watermark, 1000}, {send_timeout, 500}, {send_timeout_close, true}, {delay_send, true}, {show_econnreset, true}, {buffer, 3000}, {linger, {true, 7}}], [], fun(S, _) ->
        inet:getopts(S, [active, packet, header, packet_size, nodelay, keepalive, exit_on_close, high_watermark, low_watermark, send_timeout, send_timeout_close, delay_send, show_econnreset, linger, mode])
    end).

defaults() ->
    O = [active, mode, packet, packet_size, header, nodelay, keepalive, exit_on_close, high_watermark, low_watermark, high_msgq_watermark, low_msgq_watermark, send_timeout, send_timeout_close, delay_send, show_econnreset, linger, deliver, dontroute, broadcast, priority, tos, ttl, reuseaddr, recvtos, recvttl, bind_to_device, read_packets, buffer, pktoptions, ipv6_v6only, tclass, netns],
    with([], fun(S, _) -> inet:getopts(S, O) end).

set_and_get() ->
    with([{active, false}], fun(S, _) ->
        [{O, inet:setopts(S, [O]), inet:getopts(S, [element(1, O)])} || O <- [{nodelay, true}, {keepalive, true}, {keepalive, false}, {linger, {true, 3}}, {linger, {false, 0}}, {tos, 16}, {ttl, 5}, {priority, 3}, {buffer, 1}, {buffer, 0}, {buffer, 100000}, {buffer, -5}, {header, 4}, {packet, http}, {packet, 4}, {packet, httph_bin}, {packet, 0}, {packet_size, 77}, {mode, list}, {deliver, port}, {deliver, term}, {exit_on_close, false}, {high_watermark, 100}, {low_watermark, 50}, {low_watermark, 200}, {high_watermark, 10}, {high_msgq_watermark, 100}, {low_msgq_watermark, 50}, {send_timeout, 10}, {send_timeout, infinity}, {send_timeout_close, true}, {delay_send, true}, {delay_send, false}, {show_econnreset, true}, {recvtos, true}, {recvttl, true}, {reuseaddr, true}, {dontroute, true}, {tclass, 3}, {ipv6_v6only, true}, {read_packets, 3}, {multicast_ttl, 3}, {bind_to_device, <<"lo">>}, {bind_to_device, <<>>}]] ++
        [{O, cr(fun() -> inet:setopts(S, [O]) end)} || O <- [{nodelay, 1}, {nodelay, maybe_}, {bad, 1}, bad, {active, foo}, {packet, 3}, {packet, foo}, {linger, {true, a}}, {linger, true}, {buffer, a}, {mode, foo}, {send_timeout, -1}, {raw, 1, 2, 3}, {bind_to_device, <<"nosuchdevice">>}, {bind_to_device, <<"averyveryverylongdevicename">>}, {netns, "x"}, 5]] ++
        [inet:setopts(S, [{nodelay, true}, {active, foo}]), inet:getopts(S, [nodelay]), cr(fun() -> inet:setopts(S, bad) end), cr(fun() -> inet:getopts(S, [bad]) end), cr(fun() -> inet:getopts(S, bad) end)]
    end).

raw_options() ->
    with([{active, false}], fun(S, _) ->
        [inet:setopts(S, [{raw, 6, 1, <<1:32/native>>}]), inet:getopts(S, [{raw, 6, 1, 4}]), inet:getopts(S, [nodelay]), inet:getopts(S, [{raw, 6, 1, <<0:32>>}]), inet:getopts(S, [{raw, 6, 1, 2}]),
         inet:setopts(S, [{raw, 99, 99, <<1:32>>}]), inet:getopts(S, [{raw, 99, 99, 4}]), inet:setopts(S, [{raw, 6, 1, <<>>}]), inet:getopts(S, [{raw, 1, 9, 4}, nodelay, {raw, 6, 1, 4}])]
    end).

statistics() ->
    with([binary, {active, false}], fun(S, C) ->
        [begin ok = gen_tcp:send(C, binary:copy(<<"x">>, N)), {ok, _} = gen_tcp:recv(S, N, 1000) end || N <- [1, 10, 100, 11]],
        {inet:getstat(C, [send_cnt, send_max, send_avg, send_oct, send_pend, recv_cnt, recv_oct, recv_max, recv_avg]), inet:getstat(S, [recv_cnt, recv_max, recv_avg, recv_oct, send_cnt]), cr(fun() -> inet:getstat(S, [bad]) end), erlang:port_info(S, input), erlang:port_info(C, name)}
    end).

names() ->
    with([{active, false}], fun(S, C) ->
        {ok, A} = inet:sockname(S),
        {ok, A2} = inet:peername(C),
        {ok, B} = inet:sockname(C),
        {ok, B2} = inet:peername(S),
        R = [A =:= A2, B =:= B2, element(1, A), inet:setpeername(S, {{1, 2, 3, 4}, 5}), inet:peername(S), inet:setpeername(S, undefined), inet:setsockname(S, {{9, 9, 9, 9}, 1}), inet:sockname(S), prim_inet:gettype(S), prim_inet:getstatus(S), is_integer(element(2, prim_inet:getfd(S)))],
        gen_tcp:close(S),
        R ++ [inet:peername(S), inet:sockname(S), inet:port(S), gen_tcp:send(S, "x"), gen_tcp:recv(S, 0), gen_tcp:shutdown(S, write), gen_tcp:close(S), inet:getstat(S)]
    end).

owners() ->
    in_proc(fun() ->
        {S, C} = pair([binary, {active, true}]),
        Me = self(),
        P = spawn(fun() -> receive go -> Me ! {got, got(200)}, receive stop -> ok end end end),
        A = [gen_tcp:controlling_process(S, P), gen_tcp:controlling_process(S, self()), erlang:port_info(S, connected) =:= {connected, P}],
        P ! go,
        ok = gen_tcp:send(C, "to p"),
        B = receive {got, M} -> M after 2000 -> none end,
        exit(P, kill),
        {A, B, got(200), erlang:port_info(S)}
    end).

port_signals() ->
    in_proc(fun() ->
        process_flag(trap_exit, true),
        {S, C} = pair([binary, {active, false}]),
        M = monitor(port, S),
        A = catch port_close(S),
        B = got(150),
        unlink(C),
        D = (catch C ! {self(), close}),
        E = got(150),
        {S2, C2} = pair([binary, {active, true}]),
        exit(S2, because),
        F = got(250),
        {n(M), A, B, n(D), E, F, n(erlang:port_info(C2, connected))}
    end).

old_style() ->
    in_proc(fun() ->
        process_flag(trap_exit, true),
        {S, C} = pair([binary, {active, true}]),
        ok = inet:setopts(C, [{active, false}]),
        S ! {self(), {connect, self()}},
        A = got(150),
        S ! {self(), close},
        {A, got(150)}
    end).

%% A reader that reads nothing for a while.
slow_reader() ->
    with([binary, {active, false}, {recbuf, 4096}], [binary, {active, false}, {sndbuf, 4096}, {high_watermark, 1000}, {low_watermark, 500}, {send_timeout, 200}], fun(S, C) ->
        B = binary:copy(<<"x">>, 100000),
        A = sends(C, B, 100),
        Q = erlang:port_info(C, queue_size),
        R = [gen_tcp:send(C, "y"), A, element(2, Q) > 0],
        drain(S, 100),
        timer:sleep(100),
        R ++ [gen_tcp:send(C, "z")]
    end).
sends(_, _, 0) -> never;
sends(C, B, N) -> case gen_tcp:send(C, B) of ok -> sends(C, B, N - 1); E -> E end.
drain(S, T) -> case gen_tcp:recv(S, 0, T) of {ok, _} -> drain(S, T); E -> E end.

send_timeout_close() ->
    with([binary, {active, false}, {recbuf, 4096}], [binary, {active, false}, {sndbuf, 4096}, {send_timeout, 100}, {send_timeout_close, true}], fun(_, C) ->
        A = sends(C, binary:copy(<<"x">>, 100000), 1000),
        {A, gen_tcp:send(C, "x"), gen_tcp:recv(C, 0, 100)}
    end).

busy() ->
    with([binary, {active, false}, {recbuf, 4096}], [binary, {active, false}, {sndbuf, 4096}, {high_watermark, 1000}, {low_watermark, 500}], fun(S, C) ->
        Me = self(),
        B = binary:copy(<<"x">>, 3000000),
        P = spawn_link(fun() -> Me ! {sent, [gen_tcp:send(C, B), gen_tcp:send(C, B), gen_tcp:send(C, "last")]} end),
        timer:sleep(200),
        A = [process_info(P, status) =/= undefined, prim_inet:send(C, "x", [nosuspend]), catch port_command(C, "x", [nosuspend]), catch port_command(C, "x", [bad])],
        D = drain(S, 200),
        R = receive {sent, X} -> X after 5000 -> none end,
        {A, D, R, gen_tcp:send(C, "free")}
    end).

close_flushes() ->
    in_proc(fun() ->
        {S, C} = pair([binary, {active, false}, {recbuf, 4096}, {sndbuf, 4096}]),
        B = binary:copy(<<"0123456789">>, 100000),
        ok = gen_tcp:send(C, B),
        Me = self(),
        spawn_link(fun() -> timer:sleep(100), {ok, D} = gen_tcp:recv(S, byte_size(B), 5000), Me ! {same, D =:= B, gen_tcp:recv(S, 0, 1000)} end),
        A = gen_tcp:close(C),
        {A, receive X -> X after 6000 -> none end}
    end).

exit_flushes() ->
    in_proc(fun() ->
        {ok, L} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {active, false}, {recbuf, 4096}]),
        {ok, N} = inet:port(L),
        spawn(fun() -> {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, [binary, {sndbuf, 4096}]), ok = gen_tcp:send(C, binary:copy(<<"a">>, 1000000)) end),
        {ok, S} = gen_tcp:accept(L),
        timer:sleep(200),
        R = gen_tcp:recv(S, 1000000, 5000),
        {element(1, R), byte_size(element(2, R)), gen_tcp:recv(S, 0, 1000)}
    end).

delayed() ->
    with([binary, {active, false}, {delay_send, true}], fun(S, C) ->
        [ok = gen_tcp:send(C, [I]) || I <- lists:seq($a, $z)],
        gen_tcp:recv(S, 26, 1000)
    end).

local() ->
    F = filename:join("/tmp", "t_tcp_" ++ os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive]))),
    {ok, L} = gen_tcp:listen(0, [{ifaddr, {local, F}}, binary, {active, false}]),
    {ok, C} = gen_tcp:connect({local, F}, 0, [binary, {active, false}]),
    {ok, S} = gen_tcp:accept(L, 1000),
    ok = gen_tcp:send(C, "hi"),
    R = [gen_tcp:recv(S, 2, 1000), inet:sockname(L) =:= {ok, {local, list_to_binary(F)}}, inet:peername(C) =:= {ok, {local, list_to_binary(F)}}, inet:sockname(C), inet:peername(S), element(1, inet:port(L)), gen_tcp:listen(0, [{ifaddr, {local, F}}])],
    [gen_tcp:close(X) || X <- [S, C, L]],
    file:delete(F),
    R ++ [gen_tcp:connect({local, F}, 0, [])].

ipv6() ->
    {ok, L} = gen_tcp:listen(0, [inet6, {ip, {0, 0, 0, 0, 0, 0, 0, 1}}, binary, {active, false}]),
    {ok, P} = inet:port(L),
    {ok, C} = gen_tcp:connect({0, 0, 0, 0, 0, 0, 0, 1}, P, [inet6, binary, {active, false}]),
    {ok, S} = gen_tcp:accept(L, 1000),
    ok = gen_tcp:send(C, "hi"),
    R = [gen_tcp:recv(S, 2, 1000), element(1, element(2, inet:peername(S))), inet:getopts(S, [tclass, recvtclass, ipv6_v6only, tos, ttl])],
    [gen_tcp:close(X) || X <- [S, C, L]],
    R ++ [gen_tcp:connect({127, 0, 0, 1}, P, [inet6], 500) =:= ok, gen_tcp:connect({0, 0, 0, 0, 0, 0, 0, 1}, P, [inet6], 500)].

send_files() ->
    F = filename:join("/tmp", "t_tcp_" ++ os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive]))),
    B = binary:copy(<<"0123456789">>, 50000),
    ok = file:write_file(F, B),
    R = with([binary, {active, false}], fun(S, C) ->
        Me = self(),
        spawn_link(fun() -> Me ! {read, [begin {ok, D} = gen_tcp:recv(S, N, 5000), erlang:phash2(D) end || N <- [500000, 10, 100, 3]]} end),
        {ok, H} = file:open(F, [read, raw, binary]),
        A = [file:sendfile(F, C), file:sendfile(H, C, 5, 10, []), file:sendfile(H, C, 499900, 1000, []), file:sendfile(H, C, 500000, 10, []), gen_tcp:send(C, "end")],
        file:close(H),
        {A, receive {read, X} -> X after 6000 -> none end}
    end),
    file:delete(F),
    R.

many() ->
    {ok, L} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {active, true}, {packet, 2}, {backlog, 200}]),
    {ok, N} = inet:port(L),
    spawn_link(fun() -> serve(L) end),
    Me = self(),
    [spawn_link(fun() ->
        {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, [binary, {packet, 2}, {active, false}]),
        R = [begin ok = gen_tcp:send(C, <<I:32, K:32>>), {ok, <<I:32, K:32>>} = gen_tcp:recv(C, 0, 20000), K end || K <- lists:seq(1, 20)],
        gen_tcp:close(C),
        Me ! {I, lists:sum(R)}
    end) || I <- lists:seq(1, 100)],
    R = lists:sum([receive {I, S} -> S after 20000 -> none end || I <- lists:seq(1, 100)]),
    R.
serve(L) ->
    {ok, S} = gen_tcp:accept(L),
    P = spawn_link(fun() -> receive go -> reply(S) end end),
    ok = gen_tcp:controlling_process(S, P),
    P ! go,
    serve(L).
reply(S) -> receive {tcp, S, D} -> ok = gen_tcp:send(S, D), reply(S); {tcp_closed, S} -> ok end.

unreceive() ->
    with([binary, {active, false}], fun(S, C) ->
        ok = gen_tcp:send(C, "world"),
        {ok, D} = gen_tcp:recv(S, 5, 1000),
        A = gen_tcp:unrecv(S, ["hello ", D]),
        {A, gen_tcp:recv(S, 6, 100), gen_tcp:recv(S, 0, 100)}
    end).

descriptors() ->
    {S, C} = pair([binary, {active, false}]),
    {ok, Fd} = prim_inet:getfd(S),
    A = (catch gen_tcp:fdopen(99999, [])),
    B = inet:getfd(S) =:= {ok, Fd},
    ends({S, C}),
    {A, B}.

pings(N) ->
    with([binary, {active, once}, {packet, 4}], fun(S, C) ->
        P = spawn_link(fun() -> receive go -> ping(S) end end),
        ok = gen_tcp:controlling_process(S, P),
        P ! go,
        [begin ok = gen_tcp:send(C, <<I:32>>), receive {tcp, C, <<J:32>>} when J =:= I + 1 -> inet:setopts(C, [{active, once}]) end end || I <- lists:seq(1, N)],
        done
    end).
ping(S) -> receive {tcp, S, <<I:32>>} -> ok = gen_tcp:send(S, <<(I + 1):32>>), inet:setopts(S, [{active, once}]), ping(S); {tcp_closed, S} -> ok end.

services() ->
    [inet:getservbyname(http, tcp), inet:getservbyname("domain", udp), inet:getservbyname(nosuchservice, tcp), inet:getservbyport(80, tcp), inet:getservbyport(53, udp), inet:getservbyport(64999, tcp), is_list(element(2, inet:gethostname()))].

interfaces() ->
    {ok, L} = inet:getifaddrs(),
    {ok, N} = inet:getiflist(),
    [L, N, [{I, inet:ifget(I, [addr, netmask, flags, mtu, hwaddr, broadaddr, dstaddr])} || I <- N], inet:ifget("nosuch", [addr, flags]), inet:getif()].

cases() ->
    [{echo, fun echo/0},
     {large, fun large/0},
     {lengths, fun lengths/0},
     {sized, fun sized/0},
     {too_long, fun too_long/0},
     {packets_passive, fun packets_passive/0},
     {packets_active, fun packets_active/0},
     {packets_wrong, fun packets_wrong/0},
     {trickle, fun trickle/0},
     {long_lines, fun long_lines/0},
     {delimiter, fun delimiter/0},
     {headers, fun headers/0},
     {modes, fun modes/0},
     {active_count, fun active_count/0},
     {active_once, fun active_once/0},
     {recv_while_active, fun recv_while_active/0},
     {two_receivers, fun two_receivers/0},
     {closing_passive, fun closing_passive/0},
     {closing_active, fun closing_active/0},
     {half_closed, fun half_closed/0},
     {shut_read, fun shut_read/0},
     {send_to_closed, fun send_to_closed/0},
     {resets, fun resets/0},
     {timeouts, fun timeouts/0},
     {refused, fun refused/0},
     {in_use, fun in_use/0},
     {acceptors, fun acceptors/0},
     {dead_acceptor, fun dead_acceptor/0},
     {closed_while_waiting, fun closed_while_waiting/0},
     {inherited, fun inherited/0},
     {defaults, fun defaults/0},
     {set_and_get, fun set_and_get/0},
     {raw_options, fun raw_options/0},
     {statistics, fun statistics/0},
     {names, fun names/0},
     {owners, fun owners/0},
     {port_signals, fun port_signals/0},
     {old_style, fun old_style/0},
     {slow_reader, fun slow_reader/0},
     {send_timeout_close, fun send_timeout_close/0},
     {busy, fun busy/0},
     {close_flushes, fun close_flushes/0},
     {exit_flushes, fun exit_flushes/0},
     {delayed, fun delayed/0},
     {local, fun local/0},
     {ipv6, fun ipv6/0},
     {send_files, fun send_files/0},
     {many, fun many/0},
     {unreceive, fun unreceive/0},
     {descriptors, fun descriptors/0},
     {services, fun services/0},
     {interfaces, fun interfaces/0},
     {socknames, fun() ->
         {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
         {ok, P} = inet:port(L),
         {ok, C} = gen_tcp:connect({127, 0, 0, 1}, P, []),
         R = {inet:socknames(L) =:= {ok, [{{127, 0, 0, 1}, P}]}, inet:peernames(L), inet:peernames(C) =:= {ok, [{{127, 0, 0, 1}, P}]}},
         ok = gen_tcp:close(C),
         ok = gen_tcp:close(L),
         R
     end},
     {netns_option, fun() ->
         {ok, L} = gen_tcp:listen(0, []),
         R = [inet:getopts(L, [netns]), inet:setopts(L, [{netns, ""}]), inet:getopts(L, [netns]), inet:setopts(L, [{netns, "/x"}]), inet:getopts(L, [netns])],
         ok = gen_tcp:close(L),
         R
     end},
     {pings, fun() -> pings(500) end}].

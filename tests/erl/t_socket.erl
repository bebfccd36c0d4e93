%% socket, net, and gen_tcp and gen_udp on top of socket, over loopback.
%% modes: plain interp native chaos gc-stress
-module(t_socket).
-include("diff.hrl").

%% What differs from run to run has no place in a result.
n(P) when is_pid(P) -> pid;
n(P) when is_port(P) -> port;
n(R) when is_reference(R) -> reference;
n(T) when is_tuple(T) -> list_to_tuple(n(tuple_to_list(T)));
n([H | T]) -> [n(H) | n(T)];
n(M) when is_map(M) -> {map, lists:sort([{n(K), n(V)} || {K, V} <- maps:to_list(M), K =/= port])};
n(X) -> X.

loopback(F) -> #{family => F, addr => loopback, port => 0}.

listening() -> listening(inet).
listening(F) ->
    {ok, L} = socket:open(F, stream, tcp),
    ok = socket:bind(L, loopback(F)),
    ok = socket:listen(L),
    {ok, A} = socket:sockname(L),
    {L, A}.

pair() -> pair(inet).
pair(F) ->
    {L, A} = listening(F),
    {ok, C} = socket:open(F, stream, tcp),
    ok = socket:connect(C, A),
    {ok, S} = socket:accept(L),
    ok = socket:close(L),
    {C, S}.

datagrams() ->
    {ok, A} = socket:open(inet, dgram, udp),
    {ok, B} = socket:open(inet, dgram, udp),
    ok = socket:bind(A, loopback(inet)),
    ok = socket:bind(B, loopback(inet)),
    {ok, To} = socket:sockname(A),
    {A, B, To}.

with(F) ->
    {C, S} = pair(),
    R = n(F(C, S)),
    socket:close(C),
    socket:close(S),
    flush(),
    R.

flush() -> receive _ -> flush() after 0 -> ok end.
message() -> receive M -> M after 5000 -> none end.
ref({'$socket', R}) -> R.

%% Runs in another process, which is there until it is told to end.
other(F) ->
    Me = self(),
    P = spawn(fun() ->
        R = F(),
        Me ! {self(), R},
        receive stop -> ok end
    end),
    {P, receive {P, R} -> R after 5000 -> none end}.

gone(P) ->
    M = monitor(process, P),
    exit(P, kill),
    receive {'DOWN', M, _, _, _} -> ok after 5000 -> none end.

echo() ->
    [with(fun(C, S) ->
        [begin
            Sent = socket:send(C, D),
            {Sent, socket:recv(S, iolist_size(D), 5000)}
         end || D <- ["a", <<"bc">>, ["io", <<"list">>, $x], binary:copy(<<"y">>, 30000)]]
     end) || _ <- [1, 2]].

lengths() ->
    with(fun(C, S) ->
        ok = socket:send(C, binary:copy(<<"0123456789">>, 1000)),
        All = [socket:recv(S, N, 5000) || N <- [1, 10, 9, 9980]],
        All ++ [socket:recv(S, 0, 0), socket:recv(S, 5, 0), socket:recv(S, 0, 10)]
    end).

%% A length that comes in two parts.
parts() ->
    with(fun(C, S) ->
        Me = self(),
        spawn(fun() -> Me ! {got, socket:recv(S, 8)} end),
        ok = socket:send(C, "abc"),
        ok = socket:send(C, "defgh"),
        A = message(),
        ok = socket:send(C, "rest"),
        ok = socket:shutdown(C, write),
        [A, socket:recv(S, 4, 5000), socket:recv(S, 9, 5000)]
    end).

nowait() ->
    with(fun(C, S) ->
        {select, {select_info, Tag, H}} = socket:recv(S, 0, nowait),
        ok = socket:send(C, "x"),
        M = message(),
        R = make_ref(),
        D = socket:recv(S, 0, R),
        {select, {select_info, recv, R}} = socket:recv(S, 0, R),
        ok = socket:send(C, "y"),
        M2 = message(),
        [Tag, M =:= {'$socket', S, select, H}, D, M2 =:= {'$socket', S, select, R}, socket:recv(S)]
    end).

cancelled() ->
    with(fun(C, S) ->
        {select, I} = socket:recv(S, 0, nowait),
        A = socket:cancel(S, I),
        B = socket:cancel(S, I),
        ok = socket:send(C, "x"),
        D = socket:recv(S, 1, 5000),
        {select, I2} = socket:recv(S, 0, nowait),
        ok = socket:send(C, "y"),
        %% Its message is there, and taken away.
        {select_sent, _} = {wait_sent(S), I2},
        D2 = socket:recv(S, 1, 5000),
        [A, B =:= {error, {invalid, I}}, D, D2, cr(fun() -> prim_socket:cancel(ref(S), nosuch, make_ref()) end),
         [cr(fun() -> prim_socket:cancel(ref(S), O, make_ref()) end) || O <- [recv, recvfrom, recvmsg, send, sendto, sendmsg, sendfile, accept]]]
    end).

wait_sent(S) ->
    receive
        {'$socket', S, select, H} ->
            self() ! {'$socket', S, select, H},
            prim_socket:cancel(ref(S), recv, H)
    after 5000 -> none
    end.

queue() ->
    with(fun(C, S) ->
        {select, _} = socket:recv(S, 0, nowait),
        Me = self(),
        P = spawn(fun() ->
            Me ! {first, element(1, socket:recv(S, 0, nowait)), cr(fun() -> socket:recv(S, 0, nowait) end), cr(fun() -> socket:recv(S, 0, 0) end)},
            receive {'$socket', S, select, _} -> Me ! {second, socket:recv(S, 1, 5000)} end,
            receive stop -> ok end
        end),
        F = message(),
        ok = socket:send(C, "ab"),
        {'$socket', S, select, _} = message(),
        D = socket:recv(S, 1, 5000),
        R = [F, D, message()],
        gone(P),
        R
    end).

%% Who stands in the queue, or is current, ends.
dead_readers() ->
    with(fun(C, S) ->
        {P, _} = other(fun() -> socket:recv(S, 0, nowait) end),
        {Q, _} = other(fun() -> socket:recv(S, 0, nowait) end),
        {select, {select_info, recv, H}} = socket:recv(S, 0, nowait),
        gone(Q),
        gone(P),
        ok = socket:send(C, "x"),
        [message() =:= {'$socket', S, select, H}, socket:recv(S, 1, 5000)]
    end).

closed() ->
    with(fun(C, S) ->
        ok = socket:close(C),
        [socket:recv(S, 0, 5000), socket:recv(S, 3), socket:recv(S, 0, nowait), socket:close(C), socket:recv(C), socket:send(C, "x"),
         socket:sockname(C), socket:peername(C), socket:getopt(C, {socket, type}), socket:getopt(C, {otp, domain}),
         socket:setopt(C, {otp, meta}, x), socket:accept(C), socket:listen(C), socket:shutdown(C, read), socket:connect(C, loopback(inet)),
         socket:bind(C, loopback(inet)), socket:ioctl(C, gifconf), maps:get(owner, socket:info(C)), maps:get(rstates, socket:info(C)),
         cr(fun() -> prim_socket:finalize_close(ref(C)) end), cr(fun() -> prim_socket:finalize_close(ref(S)) end)]
    end).

half_closed() ->
    with(fun(C, S) ->
        ok = socket:send(C, "last"),
        ok = socket:shutdown(C, write),
        A = [socket:send(C, "more"), socket:recv(S, 4, 5000), socket:recv(S, 0, 5000)],
        ok = socket:send(S, "answer"),
        [A, socket:recv(C, 6, 5000), cr(fun() -> socket:shutdown(C, nosuch) end)]
    end).

aborted() ->
    with(fun(C, S) ->
        {select, {select_info, recv, H}} = socket:recv(S, 0, nowait),
        {P, R} = other(fun() -> socket:recv(S, 0, nowait) end),
        ok = socket:close(S),
        M = message(),
        gone(P),
        [element(1, R), M =:= {'$socket', S, abort, {H, closed}}, socket:recv(C, 0, 5000)]
    end).

aborted_while_waiting() ->
    with(fun(_, S) ->
        Me = self(),
        P = spawn(fun() -> Me ! ready, Me ! {got, socket:recv(S)} end),
        receive ready -> ok end,
        wait_readers(S, 1),
        ok = socket:close(S),
        R = message(),
        gone(P),
        R
    end).

wait_readers(S, N) ->
    case socket:info(S) of
        #{num_readers := N} -> ok;
        _ -> erlang:yield(), wait_readers(S, N)
    end.

%% A socket closes with its owner.
owner_ends() ->
    {L, A} = listening(),
    {P, {ok, C}} = other(fun() -> {ok, C} = socket:open(inet, stream, tcp), ok = socket:connect(C, A), {ok, C} end),
    {ok, S} = socket:accept(L, 5000),
    {Q, H} = other(fun() -> socket:recv(C, 0, nowait) end),
    gone(P),
    R = [element(1, H), socket:recv(S, 0, 5000), socket:recv(C, 0, 5000)],
    gone(Q),
    socket:close(S),
    socket:close(L),
    n(R).

owners() ->
    with(fun(C, _) ->
        {P, R} = other(fun() ->
            [socket:setopt(C, {otp, controlling_process}, self()), socket:setopt(C, {otp, meta}, x), socket:setopt(C, {otp, rcvbuf}, 1000)]
        end),
        A = socket:setopt(C, {otp, controlling_process}, P),
        B = socket:setopt(C, {otp, meta}, mine),
        {ok, O} = socket:getopt(C, {otp, controlling_process}),
        gone(P),
        {ok, T} = socket:open(inet, stream, tcp),
        socket:close(T),
        [R, A, B, O =:= P]
    end).

accepting() ->
    {L, A} = listening(),
    Z = [socket:accept(L, 0), socket:accept(L, 1)],
    {select, {select_info, Tag, H}} = socket:accept(L, nowait),
    Q = element(2, other(fun() -> [element(1, socket:accept(L, nowait)), cr(fun() -> socket:accept(L, nowait) end)] end)),
    {ok, C} = socket:open(inet, stream, tcp),
    ok = socket:connect(C, A),
    M = message(),
    {ok, S} = socket:accept(L, nowait),
    I = [maps:get(K, socket:info(L)) || K <- [num_acceptors, ctype, domain, type, protocol]],
    R = [Z, Tag, M =:= {'$socket', L, select, H}, Q, I, socket:close(L), socket:accept(L)],
    [socket:close(X) || X <- [C, S]],
    flush(),
    n(R).

%% Several processes accept; each gets one.
acceptors() ->
    {L, A} = listening(),
    Me = self(),
    Ps = [spawn(fun() ->
        {ok, S} = socket:accept(L),
        {ok, D} = socket:recv(S, 1),
        Me ! {got, D},
        socket:close(S)
    end) || _ <- lists:seq(1, 10)],
    Cs = [begin
        {ok, C} = socket:open(inet, stream, tcp),
        ok = socket:connect(C, A),
        ok = socket:send(C, [X]),
        C
    end || X <- lists:seq($a, $j)],
    R = lists:sort([message() || _ <- Ps]),
    [socket:close(C) || C <- Cs],
    socket:close(L),
    R.

connecting() ->
    {L, A} = listening(),
    {ok, C} = socket:open(inet, stream, tcp),
    X = cr(fun() -> socket:connect(C) end),
    ok = case socket:connect(C, A, nowait) of
        ok -> ok;
        {select, {select_info, connect, H}} ->
            receive {'$socket', C, select, H} -> socket:connect(C) after 5000 -> none end
    end,
    {ok, S} = socket:accept(L, 5000),
    {ok, P} = socket:peername(C),
    R = [X, P =:= A, socket:connect(C, #{family => inet, addr => {1, 2, 3}, port => 1}), cr(fun() -> socket:connect(C, foo) end)],
    [socket:close(Y) || Y <- [C, S, L]],
    {ok, D} = socket:open(inet, stream, tcp),
    E = socket:connect(D, A, 5000),
    socket:close(D),
    n([R, E]).

slow_reader() ->
    with(fun(C, S) ->
        ok = socket:setopt(C, {socket, sndbuf}, 20000),
        Size = 3000000,
        Data = binary:copy(<<"0123456789">>, Size div 10),
        Me = self(),
        {ok, Owner} = socket:getopt(S, {otp, controlling_process}),
        spawn(fun() -> Me ! {read, erlang:md5(read(S, Size, []))} end),
        R = socket:send(C, Data),
        [Owner =:= Me, R, receive {read, D} -> D =:= erlang:md5(Data) after 30000 -> none end]
    end).

read(_, 0, Acc) -> lists:reverse(Acc);
read(S, N, Acc) ->
    case socket:recv(S, min(N, 10000), 30000) of
        {ok, D} -> read(S, N - byte_size(D), [D | Acc]);
        E -> lists:reverse([atom_to_list(element(1, E)) | Acc])
    end.

%% What does not fit is told, and goes on by the continuation.
send_nowait() ->
    with(fun(C, S) ->
        ok = socket:setopt(C, {socket, sndbuf}, 10000),
        Data = binary:copy(<<"x">>, 4000000),
        {select, {{select_info, {send, _}, _} = I, Rest}} = socket:send(C, Data, nowait),
        {P, Q} = other(fun() -> socket:send(C, "later", nowait) end),
        gone(P),
        Me = self(),
        spawn(fun() -> Me ! {read, iolist_size(read(S, 4000000, []))} end),
        {'$socket', C, select, _} = message(),
        R = socket:send(C, Rest, I, 30000),
        [byte_size(Rest) > 0, element(1, Q), R, receive {read, N} -> N after 30000 -> none end]
    end).

send_timeout() ->
    with(fun(C, _) ->
        ok = socket:setopt(C, {socket, sndbuf}, 10000),
        {error, {timeout, Rest}} = socket:send(C, binary:copy(<<"x">>, 20000000), 50),
        byte_size(Rest) > 0
    end).

messages() ->
    with(fun(C, S) ->
        A = socket:sendmsg(C, #{iov => [<<"ab">>, <<"cd">>]}),
        B = socket:recvmsg(S),
        Many = [<<X>> || X <- lists:seq(0, 255), _ <- lists:seq(1, 10)],
        D = socket:sendmsg(C, #{iov => Many}),
        {ok, E} = socket:recv(S, 2560, 5000),
        [A, B, D, E =:= iolist_to_binary(Many), socket:sendmsg(C, #{iov => [a]}), socket:sendmsg(C, #{iov => foo}),
         socket:sendmsg(C, #{iov => [<<"x">>], ctrl => [#{level => socket, type => nosuch, data => <<>>}]}),
         socket:sendmsg(C, #{iov => [<<"x">>], addr => #{family => inet, addr => bad, port => 1}})]
    end).

vectors() ->
    with(fun(C, S) ->
        case erlang:function_exported(socket, sendv, 2) of
            false -> [];
            true ->
                Many = [<<X>> || X <- lists:seq(0, 255), _ <- lists:seq(1, 10)],
                A = apply(socket, sendv, [C, Many]),
                {ok, E} = socket:recv(S, 2560, 5000),
                [A, E =:= iolist_to_binary(Many), element(1, cr(fun() -> apply(socket, sendv, [C, [a]]) end))]
        end
    end).

udp() ->
    {A, B, To} = datagrams(),
    R = [{socket:sendto(B, D, To), socket:recvfrom(A, 0, 5000)} || D <- ["a", <<"bcd">>, "", binary:copy(<<"x">>, 1400)]],
    {ok, Own} = socket:sockname(B),
    R2 = [{socket:sendmsg(B, #{addr => To, iov => [<<"x">>, <<"yz">>]}), socket:recvmsg(A, 5000)},
          {socket:sendto(B, "0123456789", To), socket:recvfrom(A, 4, 5000)},
          {socket:sendto(B, "0123456789", To), socket:recvmsg(A, 4, 0, 5000)},
          {socket:sendto(B, "0123456789", To), socket:recvfrom(A, 0, [peek], 5000), socket:recv(A, 0, 5000)},
          socket:recvfrom(A, 0, 0), socket:recv(A, 3, 0), socket:recvmsg(A, 0),
          socket:sendto(B, binary:copy(<<"x">>, 70000), To)],
    {select, {select_info, Tag, H}} = socket:recvfrom(A, 0, nowait),
    ok = socket:sendto(B, "q", To),
    M = message(),
    {ok, {From, D}} = socket:recvfrom(A, 0, nowait),
    R3 = [Tag, M =:= {'$socket', A, select, H}, From =:= Own, D],
    ok = socket:connect(B, To),
    R4 = [socket:send(B, "c"), socket:recv(A, 0, 5000), socket:connect(B, #{family => unspec}), socket:send(B, "d")],
    [socket:close(X) || X <- [A, B]],
    n([R, R2, R3, R4]).

control() ->
    {A, B, To} = datagrams(),
    ok = socket:setopt(A, {ip, recvttl}, true),
    ok = socket:setopt(A, {ip, recvtos}, true),
    ok = socket:setopt(A, {ip, pktinfo}, true),
    ok = socket:setopt(B, {ip, ttl}, 33),
    ok = socket:sendto(B, "x", To),
    {ok, #{ctrl := Ctrl}} = socket:recvmsg(A, 5000),
    ok = socket:sendmsg(B, #{addr => To, iov => [<<"y">>], ctrl => [#{level => ip, type => tos, value => mincost}, #{level => ip, type => ttl, value => 7}]}),
    {ok, #{ctrl := Ctrl2}} = socket:recvmsg(A, 5000),
    ok = socket:setopt(A, {socket, timestamp}, true),
    ok = socket:sendto(B, "x", To),
    {ok, #{ctrl := Ctrl3}} = socket:recvmsg(A, 5000),
    [#{value := #{sec := Sec, usec := Usec}}] = [X || #{type := timestamp} = X <- Ctrl3],
    [socket:close(X) || X <- [A, B]],
    n([lists:sort([maps:remove(data, X) || X <- L]) || L <- [Ctrl, Ctrl2]] ++ [is_integer(Sec), is_integer(Usec)]).

local() ->
    {ok, L} = socket:open(local, stream),
    {ok, A} = socket:open(local, dgram),
    ok = socket:bind(L, #{family => local, path => <<0, "t_socket", (integer_to_binary(erlang:unique_integer([positive])))/binary, (list_to_binary(os:getpid()))/binary>>}),
    ok = socket:listen(L),
    {ok, Name} = socket:sockname(L),
    {ok, C} = socket:open(local, stream),
    ok = socket:connect(C, Name),
    {ok, S} = socket:accept(L),
    ok = socket:send(C, "local"),
    D = socket:recv(S, 5, 5000),
    R = [D, socket:sockname(C), socket:peername(S), socket:sockname(A), socket:bind(A, #{family => local, path => binary:copy(<<"x">>, 200)}),
         socket:getopt(C, {socket, domain}), socket:getopt(C, {socket, type}), socket:peername(L), cr(fun() -> socket:bind(A, #{family => local}) end)],
    [socket:close(X) || X <- [L, A, C, S]],
    n(R).

ipv6() ->
    {C, S} = pair(inet6),
    {ok, A} = socket:sockname(C),
    R = [socket:send(C, "six"), socket:recv(S, 3, 5000), A],
    [socket:close(X) || X <- [C, S]],
    n(R).

bad() ->
    {ok, S} = socket:open(inet, stream),
    R = [cr(F) || F <- [
        fun() -> socket:open(nosuch, stream) end, fun() -> socket:open(inet, nosuch) end, fun() -> socket:open(inet, stream, nosuch) end,
        fun() -> socket:open(inet, stream, udp) end, fun() -> socket:open(99999, stream) end, fun() -> socket:open(foo, #{}) end,
        fun() -> socket:open(99999, #{}) end, fun() -> socket:bind(S, #{family => inet, addr => nosuch}) end, fun() -> socket:bind(S, foo) end,
        fun() -> socket:bind(S, #{family => inet, addr => {1, 2, 3}}) end, fun() -> socket:bind(S, #{family => inet6}) end,
        fun() -> socket:bind(S, #{family => inet, port => 70000}) end, fun() -> socket:bind(S, #{family => inet, foo => 1}) end,
        fun() -> socket:bind(S, #{}) end, fun() -> socket:bind(S, nosuch) end, fun() -> socket:recv(S, -1) end, fun() -> socket:recv(S, 0, [nosuch], 0) end,
        fun() -> socket:recv(S, 0, 0) end, fun() -> socket:send(S, foo) end, fun() -> socket:send(S, [foo]) end, fun() -> socket:send(S, "x") end,
        fun() -> socket:peername(S) end, fun() -> socket:recv(foo) end, fun() -> socket:close(foo) end,
        fun() -> prim_socket:recv(make_ref(), 0, [], make_ref()) end, fun() -> prim_socket:recv(ref(S), 0, [], foo) end,
        fun() -> prim_socket:close(foo) end, fun() -> socket:accept(S, 0) end,
        fun() -> prim_socket:listen(ref(S), foo) end, fun() -> prim_socket:info(foo) end, fun() -> socket:recv(S, 0, [], -1) end]],
    socket:close(S),
    n(R).

otp_options() ->
    {ok, S} = socket:open(inet, stream, tcp),
    Get = fun(O) -> cr(fun() -> socket:getopt(S, {otp, O}) end) end,
    Set = fun(O, V) -> {cr(fun() -> socket:setopt(S, {otp, O}, V) end), Get(O)} end,
    R = [[{O, Get(O)} || O <- [debug, iow, rcvbuf, rcvctrlbuf, sndctrlbuf, meta, use_registry, domain, select_read, nosuch]],
         [{O, V, Set(O, V)} || {O, V} <- [{iow, true}, {iow, 1}, {rcvbuf, 1000}, {rcvbuf, {2, 1000}}, {rcvbuf, {3, default}},
             {rcvbuf, default}, {rcvbuf, 0}, {rcvbuf, -1}, {rcvbuf, a}, {rcvbuf, {0, 1}}, {rcvctrlbuf, 10}, {rcvctrlbuf, default}, {sndctrlbuf, foo}, {sndctrlbuf, 99},
             {meta, {a, b}}, {use_registry, x}, {fd, 1}, {domain, inet}, {nosuch, 1}], O =/= fd orelse true]],
    {ok, Fd} = socket:getopt(S, {otp, fd}),
    socket:close(S),
    [n([[X || {O, _} = X <- hd(R), O =/= fd], [{O, V, A} || {O, V, {A, _}} <- tl(R), O =:= fd] | tl_fd(R)]), is_integer(Fd)].

tl_fd([_, L]) -> [[X || {O, _, _} = X <- L, O =/= fd]].

%% Full buffers are more than one.
reads_in_row() ->
    with(fun(C, S) ->
        ok = socket:setopt(S, {otp, rcvbuf}, {5, 100}),
        ok = socket:send(C, binary:copy(<<"x">>, 1000)),
        {ok, _} = socket:recv(S, 1, 5000),
        A = [begin {T, B} = prim_socket:recv(ref(S), 0, [], make_ref()), {T, byte_size(B)} end || _ <- lists:seq(1, 7)],
        [A, socket:recv(S, 299, 5000)]
    end).

%% Each call begins to count full buffers anew, and what it reads is one packet.
rows_begin_anew() ->
    with(fun(C, S) ->
        ok = socket:setopt(S, otp, rcvbuf, {3, 10}),
        Counters = fun() ->
            Info = maps:get(counters, socket:info(S)),
            maps:with([read_pkg], Info)
        end,
        Once = fun(N) ->
            ok = socket:send(C, binary:copy(<<"x">>, N)),
            %% All of it is there before it is read.
            {ok, _} = socket:recv(S, N, [peek], 5000),
            {ok, Data} = socket:recv(S, 0, 5000),
            Rest = case N - byte_size(Data) of
                0 -> none;
                Left -> {ok, More} = socket:recv(S, Left, 5000), byte_size(More)
            end,
            {N, byte_size(Data), Rest, Counters()}
        end,
        [Once(N) || N <- [20, 20, 20, 15, 30, 40, 20, 29, 50]]
    end).

%% Less has come of a stream than was asked for: from OTP 27.3.1 on the socket keeps it, as long as it is 27, elsewhere the caller
%% gets it.
parts_kept() ->
    Ask = fun(S, N, Ref) -> cr(fun() -> prim_socket:recv(ref(S), N, [], Ref) end) end,
    Part = fun(F) ->
        with(fun(C, S) ->
            ok = socket:send(C, "0123456789"),
            {ok, _} = socket:recv(S, 10, [peek], 5000),
            First = Ask(S, 20, make_ref()),
            R = F(C, S),
            {First, R, maps:with([read_byte], maps:get(counters, socket:info(S)))}
        end)
    end,
    Next = fun(S) -> receive {'$socket', S, What, _} -> What after 5000 -> none end end,
    [Part(fun(C, S) -> ok = socket:send(C, "abcdefghijkl"), [Next(S), Ask(S, 20, make_ref()), Ask(S, 0, zero)] end),
     Part(fun(_, S) -> [Ask(S, 0, make_ref()), Ask(S, 0, zero)] end),
     Part(fun(_, S) -> [Ask(S, 3, make_ref()), Ask(S, 7, zero), Ask(S, 0, zero)] end),
     Part(fun(_, S) -> [Ask(S, 15, zero), Ask(S, 7, zero), Ask(S, 7, zero)] end),
     Part(fun(C, S) -> socket:close(C), [Next(S), Ask(S, 20, make_ref()), Ask(S, 0, make_ref())] end),
     Part(fun(C, S) -> ok = socket:send(C, "abc"), [Next(S), prim_socket:recvfrom(ref(S), 0, [], zero), Ask(S, 0, zero)] end),
     Part(fun(C, S) -> ok = socket:send(C, "abc"), Next(S), [prim_socket:recv(ref(S), 20, [peek], zero), Ask(S, 0, zero), Ask(S, 0, zero)] end),
     Part(fun(_, S) -> {P, M} = spawn_monitor(fun() -> exit(Ask(S, 4, zero)) end), receive {'DOWN', M, process, P, Why} -> Why end end),
     with(fun(C, S) -> ok = socket:send(C, "0123456789"), [socket:recv(S, 20, 100), socket:recv(S, 0, 100)] end),
     with(fun(C, S) ->
         Data = pattern(300000),
         spawn_link(fun() -> ok = socket:send(C, Data) end),
         {ok, Got} = socket:recv(S, 300000, 20000),
         Got =:= Data
     end)].

pattern(N) -> << <<(X * 7 rem 251)>> || X <- lists:seq(1, N)>>.

%% Who does not wait passes those who do, before OTP 28; they are told of what comes next nevertheless.
not_waiting() ->
    with(fun(C, S) ->
        Other = other(fun() -> {select, {select_info, recv, H}} = socket:recv(S, 0, nowait), H end),
        {P, H} = Other,
        ok = socket:send(C, "abc"),
        {ok, _} = socket:ioctl(S, nread),
        await_bytes(S, 3, 500),
        A = [cr(fun() -> prim_socket:recvfrom(ref(S), 1, [], zero) end), socket:recvmsg(S, 1, 0, [], 0), socket:recv(S, 1, [], 0)],
        P ! stop,
        {A, is_reference(H)}
    end).

await_bytes(_, _, 0) -> ok;
await_bytes(S, N, Tries) ->
    case socket:ioctl(S, nread) of
        {ok, N} -> ok;
        _ -> timer:sleep(10), await_bytes(S, N, Tries - 1)
    end.

%% Another call of the same process takes the place of the one that waits.
accept_again() ->
    {L, A} = listening(),
    Abort = fun() -> receive {'$socket', L, abort, {H, Why}} -> {is_reference(H), Why} after 100 -> none end end,
    {select, {select_info, _, First}} = socket:accept(L, nowait),
    Short = socket:accept(L, 10),
    One = receive {'$socket', L, abort, {First, Why1}} -> Why1 after 100 -> none end,
    {select, {select_info, _, Second}} = socket:accept(L, nowait),
    {select, {select_info, _, Third}} = socket:accept(L, nowait),
    Two = receive {'$socket', L, abort, {Second, Why2}} -> Why2 after 100 -> none end,
    {ok, C} = socket:open(inet, stream, tcp),
    ok = socket:connect(C, A),
    Told = receive {'$socket', L, select, Third} -> yes after 5000 -> no end,
    {ok, S} = socket:accept(L, nowait),
    [socket:close(X) || X <- [S, C, L]],
    n([Short, One, Two, Told, Abort()]).

system_options() ->
    {ok, T} = socket:open(inet, stream, tcp),
    {ok, U} = socket:open(inet, dgram, udp),
    {ok, V} = socket:open(inet6, dgram, udp),
    Set = fun(S, O, X) -> {O, X, cr(fun() -> socket:setopt(S, O, X) end), cr(fun() -> socket:getopt(S, O) end)} end,
    R = [[Set(U, {ip, tos}, X) || X <- [lowdelay, throughput, reliability, mincost, 0, 184, bar, 1 bsl 40]],
         [Set(U, {ip, mtu_discover}, X) || X <- [want, dont, do, probe, 0, 9, bar]],
         [Set(U, {ip, multicast_if}, X) || X <- [any, {127, 0, 0, 1}, bar, 1]],
         [Set(U, {ip, add_membership}, X) || X <- [#{multiaddr => {224, 0, 0, 5}, interface => {127, 0, 0, 1}}, #{multiaddr => {224, 0, 0, 5}}, bar,
             #{multiaddr => {1, 0, 0, 5}, interface => any}]],
         [Set(T, {socket, linger}, X) || X <- [#{onoff => true, linger => 5}, #{onoff => true}, abort, bar]],
         [Set(T, {socket, O}, X) || {O, X} <- [{rcvbuf, a}, {broadcast, 1}, {acceptconn, true}, {type, stream}, {domain, inet}, {protocol, 1}, {reuseaddr, true},
             {keepalive, true}, {oobinline, true}, {priority, 3}, {rcvlowat, 2}, {error, 1}, {nosuch, 1}]],
         [Set(T, {tcp, O}, X) || {O, X} <- [{nodelay, true}, {nodelay, 1}, {cork, true}, {maxseg, 1000}, {congestion, "nosuch"}, {congestion, a}, {keepidle, 100}, {keepcnt, 3}]],
         [Set(V, {ipv6, O}, X) || {O, X} <- [{v6only, true}, {mtu_discover, probe}, {multicast_hops, 3}, {multicast_hops, default}, {unicast_hops, 8}, {tclass, 4},
             {addrform, inet}, {recvpktinfo, true}, {recvtclass, true}, {multicast_loop, false}]],
         [cr(fun() -> socket:getopt_native(U, O, W) end) || {O, W} <- [{{ip, ttl}, integer}, {{ip, ttl}, boolean}, {{0, 2}, 4}, {{socket, 3}, 2}, {{ip, ttl}, <<0:32>>},
             {{ip, ttl}, foo}, {{nosuch, 1}, 1}, {foo, 1}, {{1, 3}, integer}]],
         [cr(fun() -> socket:setopt_native(U, O, W) end) || {O, W} <- [{{ip, ttl}, 9}, {{ip, ttl}, <<8:32/native>>}, {{0, 2}, true}, {{ip, ttl}, foo}, {{nosuch, 1}, 1}]],
         [cr(fun() -> socket:getopt(S, {socket, O}) end) || S <- [T, U, V], O <- [type, domain, protocol, acceptconn, error, nosuch]]],
    [socket:close(S) || S <- [T, U, V]],
    n(R).

requests() ->
    {ok, S} = socket:open(inet, dgram, udp),
    R = [cr(fun() -> apply(socket, ioctl, [S | A]) end) || A <- [[gifname, 1], [gifname, 9999], [gifindex, "lo"], [gifindex, "nosuch"], [gifaddr, "lo"], [gifnetmask, "lo"],
        [gifmtu, "lo"], [gifflags, "lo"], [gifmap, "lo"], [nosuch], [nosuch, "lo"], [gifindex, foo]]],
    {ok, All} = socket:ioctl(S, gifconf),
    socket:close(S),
    n([R, [X || #{name := "lo"} = X <- All]]).

tables() ->
    T = fun(K) -> persistent_term:get({prim_socket, K}) end,
    [lists:sort(maps:to_list(T(protocols))),
     lists:sort([X || {{L, _}, _} = X <- maps:to_list(T(options)), L =/= sctp, L =/= 'SCTP']),
     lists:sort(maps:to_list(T(ioctl_requests))), lists:sort(maps:to_list(T(ioctl_flags))), lists:sort(maps:to_list(T(msg_flags))),
     [socket:is_supported(K) || K <- [ipv6, local, netns, sendfile, nosuch]],
     [socket:is_supported(options, O) || O <- [{socket, peek_off}, {ip, tos}, {tcp, nodelay}, {tcp, info}]]].

info() ->
    with(fun(C, S) ->
        ok = socket:send(C, "0123"),
        {ok, _} = socket:recv(S, 4, 5000),
        I = fun(X) -> M = socket:info(X), [{K, maps:get(K, M)} || K <- [domain, type, protocol, ctype, num_readers, num_writers, num_acceptors]] end,
        N = fun(X, K) -> maps:get(K, maps:get(counters, socket:info(X))) end,
        G = socket:info(),
        [I(C), I(S), [N(C, K) || K <- [write_pkg, write_byte, write_pkg_max, read_pkg, read_byte]], [N(S, K) || K <- [read_pkg, read_byte, read_pkg_max, write_pkg]],
         [maps:get(K, G) || K <- [debug, iov_max, use_registry]], lists:sort(maps:keys(maps:get(counters, G))),
         lists:sort(maps:keys(maps:get(counters, socket:info(C))))]
    end).

registry() ->
    {ok, S} = socket:open(inet, stream, tcp),
    In = lists:member(S, socket:which_sockets()),
    M = socket:monitor(S),
    ok = socket:close(S),
    D = receive {'DOWN', M, socket, S, W} -> W after 5000 -> none end,
    Out = lists:member(S, socket:which_sockets()),
    {ok, T} = socket:open(inet, stream, tcp, #{use_registry => false}),
    Hidden = lists:member(T, socket:which_sockets()),
    socket:close(T),
    {P, U} = other(fun() -> {ok, U} = socket:open(inet, dgram, udp), U end),
    M2 = socket:monitor(U),
    gone(P),
    D2 = receive {'DOWN', M2, socket, U, W2} -> W2 after 5000 -> none end,
    [In, D, Out, Hidden, D2].

descriptors() ->
    {C, S} = pair(),
    {ok, Fd} = socket:getopt(C, {otp, fd}),
    {ok, D} = socket:open(Fd, #{}),
    {ok, E} = socket:open(Fd, #{dup => false}),
    I = [begin #{domain := A, type := B, protocol := P} = socket:info(X), {A, B, P} end || X <- [D, E]],
    ok = socket:send(D, "dup"),
    R = [I, socket:recv(S, 3, 5000), socket:close(E), socket:close(D), socket:send(C, "x"), socket:recv(S, 1, 5000)],
    [socket:close(X) || X <- [C, S]],
    R.

send_files() ->
    Name = filename:join(os:getenv("TMPDIR", "/tmp"), "t_socket." ++ os:getpid() ++ "." ++ integer_to_list(erlang:unique_integer([positive]))),
    Data = binary:copy(<<"0123456789">>, 50000),
    ok = file:write_file(Name, Data),
    {ok, F} = file:open(Name, [raw, read, binary]),
    R = with(fun(C, S) ->
        Me = self(),
        spawn(fun() -> Me ! {read, erlang:md5(read(S, 500015, []))} end),
        A = [socket:sendfile(C, F), socket:sendfile(C, F, 10, 5), socket:sendfile(C, F, 499990, 100)],
        [A, receive {read, D} -> D =:= erlang:md5([Data, "01234", "0123456789"]) after 30000 -> none end]
    end),
    file:close(F),
    file:delete(Name),
    [R, with(fun(C, _) -> cr(fun() -> socket:sendfile(C, foo) end) end)].

names() ->
    Sorted = fun({ok, L}) -> {ok, lists:usort([n(X) || X <- L])}; (E) -> E end,
    {ok, H} = net:gethostname(),
    {ok, Ifs} = net:getifaddrs(inet),
    {ok, Lo} = net:if_name2index("lo"),
    [Sorted(net:getaddrinfo("127.0.0.1")), Sorted(net:getaddrinfo("127.0.0.1", "80")), Sorted(net:getaddrinfo("::1", "80")), net:getaddrinfo("nosuch.invalid."),
     is_list(H), [n(X) || #{name := "lo"} = X <- Ifs], net:if_index2name(Lo), net:if_name2index("nosuch"), net:if_index2name(99999),
     lists:member({Lo, "lo"}, element(2, net:if_names())),
     net:getnameinfo(#{family => inet, addr => {127, 0, 0, 1}, port => 80}, [numerichost, numericserv]),
     net:getnameinfo(#{family => inet6, addr => {0, 0, 0, 0, 0, 0, 0, 1}, port => 80}, [numerichost, numericserv]),
     cr(fun() -> net:getnameinfo(#{family => inet, addr => {127, 0, 0, 1}, port => 80}, [nosuch]) end),
     cr(fun() -> prim_net:get_adapters_addresses(#{}) end)].

backend(F) -> n(F([{inet_backend, socket}])).

tcp() ->
    backend(fun(B) ->
        [begin
            {ok, L} = gen_tcp:listen(0, B ++ [{ip, {127, 0, 0, 1}}, M, {active, false}, {packet, P}]),
            {ok, N} = inet:port(L),
            {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, B ++ [M, {active, false}, {packet, P}], 5000),
            {ok, S} = gen_tcp:accept(L, 5000),
            A = [{gen_tcp:send(C, D), gen_tcp:recv(S, 0, 5000)} || D <- ["a\n", <<"bcd\n">>]],
            ok = inet:setopts(S, [{active, once}]),
            ok = gen_tcp:send(C, "active\n"),
            E = receive {tcp, S, X} -> X after 5000 -> none end,
            G = inet:getopts(S, [active, packet, mode]),
            ok = gen_tcp:shutdown(C, write),
            Z = gen_tcp:recv(S, 0, 5000),
            ok = gen_tcp:send(S, "answer\n"),
            Y = gen_tcp:recv(C, 0, 5000),
            [gen_tcp:close(K) || K <- [C, S, L]],
            [A, E, G, Z, Y, gen_tcp:send(C, "x"), gen_tcp:recv(S, 0)]
         end || M <- [list, binary], P <- [raw, 2, 4, line]]
    end).

tcp_active() ->
    backend(fun(B) ->
        {ok, L} = gen_tcp:listen(0, B ++ [{ip, {127, 0, 0, 1}}, binary, {active, true}]),
        {ok, N} = inet:port(L),
        {ok, C} = gen_tcp:connect({127, 0, 0, 1}, N, B ++ [binary], 5000),
        {ok, S} = gen_tcp:accept(L, 5000),
        ok = gen_tcp:send(C, "x"),
        A = receive {tcp, S, X} -> X after 5000 -> none end,
        ok = gen_tcp:close(C),
        Z = receive {tcp_closed, S} -> closed after 5000 -> none end,
        gen_tcp:close(L),
        [A, Z, gen_tcp:connect({127, 0, 0, 1}, N, B ++ [binary], 5000), element(1, gen_tcp:listen(0, B ++ [{ip, {1, 2, 3, 4}}]))]
    end).

udp_backend() ->
    backend(fun(B) ->
        {ok, U} = gen_udp:open(0, B ++ [{ip, {127, 0, 0, 1}}, binary, {active, false}]),
        {ok, N} = inet:port(U),
        To = fun(D) -> gen_udp:send(U, {127, 0, 0, 1}, N, D) end,
        A = [begin S = To(D), {ok, {Ip, Port, X}} = gen_udp:recv(U, 0, 5000), {S, Ip, Port =:= N, X} end || D <- ["a", <<"bc">>, ""]],
        T = gen_udp:recv(U, 0, 0),
        ok = inet:setopts(U, [{active, true}]),
        ok = To("act"),
        E = receive {udp, U, Ip2, N, X2} -> {Ip2, X2} after 5000 -> none end,
        ok = gen_udp:close(U),
        [A, T, E, gen_udp:recv(U, 0)]
    end).

%% Many sockets at a time, all served by one process.
many() ->
    {L, A} = listening(),
    Ps = [begin
        {ok, C} = socket:open(inet, stream, tcp),
        ok = socket:connect(C, A),
        {ok, S} = socket:accept(L, 5000),
        {select, {select_info, recv, H}} = socket:recv(S, 0, nowait),
        {C, S, H}
    end || _ <- lists:seq(1, 100)],
    [ok = socket:send(C, "x") || {C, _, _} <- lists:reverse(Ps)],
    R = [receive {'$socket', S, select, H} -> socket:recv(S, 1, 5000) after 5000 -> none end || {_, S, H} <- Ps],
    [begin socket:close(C), socket:close(S) end || {C, S, _} <- Ps],
    socket:close(L),
    lists:usort(R).

pings() ->
    with(fun(C, S) ->
        Me = self(),
        spawn(fun() -> [ok = socket:send(S, element(2, socket:recv(S, 4))) || _ <- lists:seq(1, 300)], Me ! done end),
        R = [begin ok = socket:send(C, <<N:32>>), {ok, <<N:32>>} = socket:recv(C, 4, 10000), ok end || N <- lists:seq(1, 300)],
        [lists:usort(R), message()]
    end).

cases() ->
    [{echo, fun echo/0},
     {lengths, fun lengths/0},
     {parts, fun parts/0},
     {nowait, fun nowait/0},
     {cancelled, fun cancelled/0},
     {queue, fun queue/0},
     {dead_readers, fun dead_readers/0},
     {closed, fun closed/0},
     {half_closed, fun half_closed/0},
     {aborted, fun aborted/0},
     {aborted_while_waiting, fun aborted_while_waiting/0},
     {owner_ends, fun owner_ends/0},
     {owners, fun owners/0},
     {accepting, fun accepting/0},
     {acceptors, fun acceptors/0},
     {connecting, fun connecting/0},
     {slow_reader, fun slow_reader/0},
     {send_nowait, fun send_nowait/0},
     {send_timeout, fun send_timeout/0},
     {messages, fun messages/0},
     {vectors, fun vectors/0},
     {udp, fun udp/0},
     {control, fun control/0},
     {local, fun local/0},
     {ipv6, fun ipv6/0},
     {bad, fun bad/0},
     {otp_options, fun otp_options/0},
     {reads_in_row, fun reads_in_row/0},
     {rows_begin_anew, fun rows_begin_anew/0},
     {parts_kept, fun parts_kept/0},
     {not_waiting, fun not_waiting/0},
     {accept_again, fun accept_again/0},
     {system_options, fun system_options/0},
     {requests, fun requests/0},
     {tables, fun tables/0},
     {info, fun info/0},
     {registry, fun registry/0},
     {descriptors, fun descriptors/0},
     {send_files, fun send_files/0},
     {names, fun names/0},
     {tcp, fun tcp/0},
     {tcp_active, fun tcp_active/0},
     {udp_backend, fun udp_backend/0},
     {many, fun many/0},
     {pings, fun pings/0}].

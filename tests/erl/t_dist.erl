%% Two nodes that talk. Each case is run with the machine under test on both sides, and with the release's own BEAM on either
%% side. The nodes are peers that are led over their standard input; they have an epmd of their own.
%% modes: plain interp native
-module(t_dist).
-export([run/3, suspends/2, echo/0, echo_one/2, holder/1, starts/2, tell/2, forward/1, ask_leader/1, tell_parent/1, sum/1, sleeper/0, watcher/2, refuse/1]).
-include("diff.hrl").

-define(WAIT, 60000).
-include("peers.hrl").

%% ---- in the node that leads ----

start(Kind, Port) ->
    Name = peer:random_name(),
    Options = #{
        name => Name,
        host => "localhost",
        longnames => false,
        connection => standard_io,
        exec => machine(Kind),
        wait_boot => ?WAIT,
        env => [{"ERL_EPMD_PORT", integer_to_list(Port)}, {"ERL_EPMD_ADDRESS", "127.0.0.1"}],
        args => ["-setcookie", "t_dist", "-kernel", "prevent_overlapping_partitions", "false", "-pa", filename:dirname(code:which(?MODULE))]
    },
    {ok, Peer, Node} = peer:start(Options),
    {Peer, Node}.

%% The results of a case, one for each pair of machines. What differs is shown.
pairs(Case) ->
    Results = [{{A, B}, pair(A, B, Case)} || {A, B} <- [{self, self}, {self, beam}, {beam, self}]],
    case lists:usort([R || {_, R} <- Results]) of
        [R] -> R;
        _ -> {differ, differences(Results)}
    end.

%% Of tuples the elements that are not the same everywhere.
differences([{_, {ok, T}} | _] = Results) when is_tuple(T) ->
    Size = tuple_size(T),
    case lists:all(fun({_, {ok, U}}) -> is_tuple(U) andalso tuple_size(U) =:= Size; (_) -> false end, Results) of
        true -> [{I, [{P, element(I, U)} || {P, {ok, U}} <- Results]} || I <- lists:seq(1, Size), length(lists:usort([element(I, U) || {_, {ok, U}} <- Results])) > 1];
        false -> Results
    end;
differences(Results) -> Results.

pair(A, B, Case) ->
    {{PA, NA}, {_, NB}} = nodes_of(A, B),
    plain(peer:call(PA, ?MODULE, run, [Case, NB, []], ?WAIT), [{NA, a}, {NB, b}]).

%% Nodes are kept from case to case.
nodes_of(A, B) ->
    case persistent_term:get({?MODULE, A, B}, none) of
        none ->
            Port = epmd_port(),
            Both = kept(fun() -> {start(A, Port), start(B, Port)} end),
            persistent_term:put({?MODULE, A, B}, Both),
            Both;
        Both ->
            Both
    end.

%% A peer ends with the process that has started it, so that stays.
kept(F) ->
    {P, M} = spawn_monitor(fun() -> receive {From, R} -> From ! {R, F()} end, receive stop -> ok end end),
    P ! {self(), M},
    receive {M, X} -> erlang:demonitor(M, [flush]), X; {'DOWN', M, _, _, Why} -> error(Why) end.

epmd_port() ->
    case persistent_term:get({?MODULE, epmd}, none) of
        none -> P = free_port(), persistent_term:put({?MODULE, epmd}, P), P;
        P -> P
    end.

%% The end: all nodes are stopped, and then epmd.
stop() ->
    [catch peer:stop(P) || {{?MODULE, _, _}, {{PA, _}, {PB, _}}} <- persistent_term:get(), P <- [PA, PB]],
    gone(50, epmd_port()).

%% Identities are not to be seen.
plain(X, _) when is_reference(X) -> ref;
plain(X, Names) when is_pid(X) -> {pid, plain(node(X), Names)};
plain(X, _) when is_port(X) -> port;
plain(X, Names) when is_atom(X) -> proplists:get_value(X, Names, X);
plain([H | T], Names) -> [plain(H, Names) | plain(T, Names)];
plain(X, Names) when is_tuple(X) -> list_to_tuple(plain(tuple_to_list(X), Names));
plain(X, Names) when is_map(X) -> maps:from_list(plain(maps:to_list(X), Names));
plain(X, _) -> X.

%% ---- in the first node; B is the other one ----

%% In a process of its own, which has an empty mailbox.
run(Case, B, _) ->
    {P, M} = spawn_monitor(fun() -> exit({value, c(fun() -> ?MODULE:starts(Case, B) end)}) end),
    receive {'DOWN', M, process, P, {value, V}} -> V; {'DOWN', M, process, P, R} -> {died, R} after ?WAIT -> hangs end.

next() -> receive X -> X after 20000 -> none end.
next(R) -> receive {R, X} -> X after 20000 -> none end.
%% Nothing more has come, although what was sent later has been answered.
rest(B) -> rpc:call(B, erlang, node, []), receive X -> [X | rest(B)] after 0 -> [] end.
down(M) -> receive {'DOWN', M, K, P, R} -> {K, P, R} after 20000 -> none end.

%% Tells why a node is gone.
watcher(From, Node) ->
    ok = net_kernel:monitor_nodes(true, [nodedown_reason]),
    From ! {self(), ready},
    receive {nodedown, Node, Why} -> From ! {there, Why} end.

echo() -> receive {From, R, X} -> From ! {R, X}, echo(); stop -> ok end.
echo_one(From, R) -> receive X -> From ! {R, X} end.
holder(From) -> From ! {self(), ready}, receive {stop, R} -> exit(R) end.
%% Waits until a process has begun: what it begins with is a message.
sleeps(B, P) ->
    case rpc:call(B, erlang, process_info, [P, [status, current_function]]) of
        [{status, waiting}, {current_function, {?MODULE, sleeper, 0}}] -> ok;
        _ -> receive after 10 -> sleeps(B, P) end
    end.

sleeper() -> receive after infinity -> ok end.
tell(To, What) -> To ! What.
tell_parent(To) -> To ! {parent, process_info(self(), parent)}.
forward(To) -> receive X -> To ! {forwarded, X}, forward(To) end.
ask_leader(To) -> To ! {leader, group_leader()}.
sum(L) -> lists:sum(L).
refuse(X) -> error({refused, X}).

starts(ping, B) ->
    [net_adm:ping(B), nodes() =:= [B], net_adm:ping(B), net_adm:ping('nobody@localhost'), nodes(connected) =:= [B], nodes(hidden)];
starts(parent, B) ->
    P = spawn_link(B, ?MODULE, tell_parent, [self()]),
    Q = spawn(B, ?MODULE, sleeper, []),
    Told = receive {parent, X} -> X after 20000 -> none end,
    R = [Told =:= {parent, self()}, erpc:call(B, erlang, process_info, [Q, parent]) =:= {parent, self()}, node(P) =:= B],
    exit(Q, kill),
    R;
starts(send, B) ->
    P = spawn(B, ?MODULE, echo, []),
    true = register(t_dist_here, self()),
    Terms = [x, 1, -1 bsl 100, 1.5, "text", <<"binary">>, <<5:3>>, {}, [], #{a => 1, {b} => [2]}, self(), P, [a | b],
             fun lists:map/2, list_to_tuple(lists:seq(1, 300)), binary:copy(<<"x">>, 1000), 'atom with é'],
    Got = [begin R = make_ref(), P ! {self(), R, T}, next(R) =:= T end || T <- Terms],
    R = make_ref(),
    P ! {self(), R, R},
    Own = next(R) =:= R,
    spawn(B, ?MODULE, tell, [{t_dist_here, node()}, by_name]),
    Named = next(),
    {nobody, B} ! lost,
    {Got, Own, Named, catch erlang:send({nobody, B}, x, [noconnect]), rest(B)};
starts(funs, B) ->
    P = spawn(B, ?MODULE, echo, []),
    Y = id(7),
    F = fun(X) -> X + Y end,
    R = make_ref(),
    P ! {self(), R, F},
    G = next(R),
    {F =:= G, G(1), rpc:call(B, erlang, apply, [F, [2]])};
starts(large, B) ->
    P = spawn(B, ?MODULE, echo, []),
    Large = [binary:copy(<<"0123456789">>, 300000), lists:seq(1, 200000), [{list_to_atom("t_dist_" ++ integer_to_list(I)), I} || I <- lists:seq(1, 3000)],
             maps:from_list([{I, {I}} || I <- lists:seq(1, 20000)])],
    [begin R = make_ref(), P ! {self(), R, T}, next(R) =:= T end || T <- Large];
starts(order, B) ->
    P = spawn(B, ?MODULE, forward, [self()]),
    [P ! {I, case I rem 50 of 0 -> binary:copy(<<I>>, 200000); _ -> I end} || I <- lists:seq(1, 500)],
    Got = [receive {forwarded, {N, _}} -> N after 20000 -> none end || _ <- lists:seq(1, 500)],
    Got =:= lists:seq(1, 500);
starts(link, B) ->
    process_flag(trap_exit, true),
    Ends = [begin
        P = spawn_link(B, ?MODULE, holder, [self()]),
        {P, ready} = next(),
        P ! {stop, R},
        next()
    end || R <- [normal, reason, kill, {a, "b"}]],
    P = spawn(B, ?MODULE, holder, [self()]),
    {P, ready} = next(),
    true = link(P), true = link(P), true = unlink(P), true = link(P), true = unlink(P),
    P ! {stop, unseen},
    Unlinked = rest(B),
    true = link(P),
    Gone = next(),
    Q = spawn(B, ?MODULE, sleeper, []),
    link(Q),
    M = monitor(process, Q),
    exit(Q, bye),
    {Ends, Unlinked, Gone, lists:sort([next(), next()]), is_reference(M)};
starts(exits, B) ->
    [begin
        P = spawn(B, ?MODULE, sleeper, []),
        M = monitor(process, P),
        exit(P, normal),
        exit(P, R),
        case down(M) of
            {K, Q, {long, L, 1}} -> {K, Q, length(L)};
            D -> D
        end
    end || R <- [kill, shutdown, {long, lists:duplicate(3000, x), 1}]];
starts(monitor, B) ->
    Ends = [begin
        P = spawn(B, ?MODULE, holder, [self()]),
        {P, ready} = next(),
        M = monitor(process, P),
        P ! {stop, R},
        down(M)
    end || R <- [normal, reason]],
    P = spawn(B, ?MODULE, holder, [self()]),
    {P, ready} = next(),
    M = monitor(process, P),
    true = demonitor(M),
    M2 = monitor(process, P, [{tag, tagged}]),
    P ! {stop, seen},
    Tagged = next(),
    M3 = monitor(process, P),
    M4 = monitor(process, {nobody, B}),
    M5 = monitor(process, {rex, B}),
    M6 = monitor(process, {x, 'nobody@localhost'}),
    {Ends, element(1, Tagged), element(5, Tagged), element(2, Tagged) =:= M2, down(M3), down(M4), demonitor(M5, [info]), down(M6), rest(B)};
starts(rpc, B) ->
    [rpc:call(B, erlang, node, []), rpc:call(B, ?MODULE, sum, [[1, 2, 3]]), rpc:call(B, erlang, throw, [x]), rpc:call(B, erlang, exit, [x]),
     element(1, rpc:call(B, ?MODULE, refuse, [x])), rpc:multicall([node(), B, 'nobody@localhost'], erlang, node, []),
     rpc:yield(rpc:async_call(B, lists, reverse, ["abc"])), rpc:cast(B, ?MODULE, tell, [self(), cast]), next(),
     rpc:abcast([B], nobody, x), rpc:block_call(B, erlang, node, []), rpc:call('nobody@localhost', erlang, node, [])];
starts(erpc, B) ->
    [cr(F) || F <- [
        fun() -> erpc:call(B, erlang, node, []) end,
        fun() -> erpc:call(B, ?MODULE, sum, [[1, 2, 3]], 10000) end,
        fun() -> erpc:call(B, erlang, throw, [x]) end,
        fun() -> erpc:call(B, erlang, exit, [x]) end,
        fun() -> erpc:call(B, ?MODULE, sleeper, [], 50) end,
        fun() -> erpc:call('nobody@localhost', erlang, node, []) end,
        fun() -> erpc:multicall([node(), B], erlang, node, []) end,
        fun() -> erpc:receive_response(erpc:send_request(B, erlang, node, []), 10000) end,
        fun() -> erpc:cast(B, ?MODULE, tell, [self(), cast]), next() end]] ++
    [begin {error, {exception, R, _}} = {error, catch_reason(fun() -> erpc:call(B, ?MODULE, refuse, [x]) end)}, R end];
starts(spawn, B) ->
    process_flag(trap_exit, true),
    {P, M} = spawn_monitor(B, erlang, exit, [done]),
    Monitored = {is_pid(P), down(M)},
    L = spawn_link(B, erlang, exit, [linked]),
    Linked = next(),
    {P2, M2} = spawn_opt(B, erlang, exit, [both], [link, monitor, {priority, high}]),
    Both = lists:sort([next(), next()]),
    Bad = cr(fun() -> spawn_opt(B, erlang, node, [], [bad_option]) end),
    {Monitored, is_pid(L), Linked, is_pid(P2), is_reference(M2), Both, Bad,
     rpc:call(B, erlang, is_process_alive, [spawn(B, ?MODULE, sleeper, [])])};
starts(request, B) ->
    Plain = spawn_request(B, ?MODULE, tell, [self(), told]),
    A1 = lists:sort([next(), next()]),
    Tagged = spawn_request(B, erlang, node, [], [{reply_tag, mine}]),
    A2 = next(),
    _ = spawn_request(B, ?MODULE, tell, [self(), silent], [{reply, no}]),
    A3 = next(),
    Bad = spawn_request(B, erlang, node, [], [bad_option]),
    A4 = next(),
    Mon = spawn_request(B, erlang, exit, [r], [{monitor, [{tag, down}]}, {reply, success_only}]),
    A5 = [next(), next()],
    Gone = spawn_request('nobody@localhost', erlang, node, []),
    A6 = next(),
    {A1, element(2, A2) =:= Tagged, A2, A3, element(2, A4) =:= Bad, A4, [element(2, X) =:= Mon || X <- A5], A5, element(2, A6) =:= Gone, A6, is_reference(Plain), rest(B)};
starts(alias, B) ->
    A = alias([reply]),
    spawn(B, ?MODULE, tell, [A, first]),
    First = next(),
    spawn(B, ?MODULE, tell, [A, second]),
    Second = rest(B),
    C = alias(),
    spawn(B, ?MODULE, tell, [C, third]),
    Third = next(),
    true = unalias(C),
    spawn(B, ?MODULE, tell, [C, fourth]),
    {P, _} = spawn_monitor(B, ?MODULE, echo_one, [self(), x]),
    M = monitor(process, P, [{alias, reply_demonitor}]),
    spawn(B, ?MODULE, tell, [M, by_monitor]),
    {First, Second, Third, next(), (catch gen_server:call({nobody, B}, x)), rest(B)};
starts(leader, B) ->
    P = spawn(B, ?MODULE, sleeper, []),
    Same = rpc:call(B, erlang, process_info, [P, group_leader]) =:= {group_leader, group_leader()},
    Q = spawn(B, ?MODULE, sleeper, []),
    true = group_leader(self(), Q),
    Set = rpc:call(B, erlang, process_info, [Q, group_leader]) =:= {group_leader, self()},
    spawn(B, ?MODULE, ask_leader, [self()]),
    {leader, L} = next(),
    {Same, Set, L =:= group_leader()};
starts(lost, B) ->
    process_flag(trap_exit, true),
    true = erlang:monitor_node(B, true),
    true = erlang:disconnect_node(B),
    receive {nodedown, B} -> ok end,
    ok = net_kernel:monitor_nodes(true, [nodedown_reason]),
    pong = net_adm:ping(B),
    Up = receive {nodeup, _, _} = U -> U after 20000 -> none end,
    %% The news of the earlier end may have come after the wish to hear of such news.
    receive {nodedown, B, _} -> ok after 0 -> ok end,
    true = erlang:monitor_node(B, true),
    true = erlang:monitor_node(B, true),
    true = erlang:monitor_node(B, true),
    true = erlang:monitor_node(B, false),
    P = spawn(B, ?MODULE, sleeper, []),
    true = link(P),
    M = monitor(process, P),
    M2 = monitor(process, {rex, B}),
    true = erlang:disconnect_node(B),
    Got = lists:sort([next() || _ <- lists:seq(1, 6)]),
    {Up, Got, is_reference(M), is_reference(M2), nodes(), net_adm:ping(B), next(), lists:member(B, nodes())};
starts(dead_link, B) ->
    process_flag(trap_exit, true),
    P = spawn(B, ?MODULE, sleeper, []),
    Bytes = term_to_binary(P),
    Size = byte_size(Bytes) - 4,
    <<Head:Size/binary, Creation:32>> = Bytes,
    Earlier = binary_to_term(<<Head/binary, (Creation - 1):32>>),
    true = link(Earlier),
    {next(), down(monitor(process, Earlier)), rest(B)};
starts(malformed, B) ->
    pong = net_adm:ping(B),
    W = spawn(B, ?MODULE, watcher, [self(), node()]),
    {W, ready} = next(),
    ok = net_kernel:monitor_nodes(true, [nodedown_reason]),
    {B, Controller} = lists:keyfind(B, 1, erlang:system_info(dist_ctrl)),
    ok = prim_inet:send(Controller, <<131, 68, 1, 200, 77>>),
    Down = next(),
    ok = net_kernel:monitor_nodes(false, [nodedown_reason]),
    {Down, next(), net_adm:ping(B)};
starts(busy, B) ->
    pong = net_adm:ping(B),
    {B, Controller} = lists:keyfind(B, 1, erlang:system_info(dist_ctrl)),
    undefined = erlang:system_monitor(self(), [busy_dist_port]),
    P = spawn(B, ?MODULE, forward, [self()]),
    Data = binary:copy(<<0>>, 4 bsl 20),
    {S, M} = spawn_monitor(fun() -> busy(P, Data) end),
    Told = receive {monitor, S, busy_dist_port, Controller} -> told after 20000 -> none end,
    exit(S, kill),
    Killed = down(M) =:= {process, S, killed},
    %% What a process has sent goes, although it is suspended.
    P ! last,
    Last = until(fun() -> receive {forwarded, last} -> true; {forwarded, D} -> true = D =:= Data, false end end),
    Nobody = erlang:system_monitor(undefined) =:= {self(), [busy_dist_port]},
    exit(P, kill),
    {Told, Killed, Last, Nobody};
starts(unreadable, B) ->
    P = spawn(B, ?MODULE, sleeper, []),
    ok = sleeps(B, P),
    S = spawn(B, ?MODULE, suspends, [P, self()]),
    suspended = next(),
    ok = net_kernel:monitor_nodes(true),
    {B, Controller} = lists:keyfind(B, 1, erlang:system_info(dist_ctrl)),
    <<131, Control/binary>> = term_to_binary({2, '', P}),
    Bad = fun(Bytes) -> ok = prim_inet:send(Controller, [<<131, 68, 0>>, Control, Bytes]) end,
    Length = fun() -> rpc:call(B, erlang, process_info, [P, message_queue_len]) end,
    %% A message that is no term waits as others do, until somebody looks at it.
    P ! good,
    Bad(<<82, 200>>),
    Bad(<<109, 0, 0, 4, 0, 0:4096>>),
    P ! good,
    Waits = Length(),
    rpc:cast(B, erlang, process_info, [P, messages]),
    Down = next(),
    pong = net_adm:ping(B),
    Up = next(),
    ok = net_kernel:monitor_nodes(false),
    Left = rpc:call(B, erlang, process_info, [P, [message_queue_len, messages]]),
    exit(S, kill),
    {Waits, Down, Up, Left, rest(B)};
starts(known, B) ->
    Pid = binary_to_term(<<131, 88, 119, 16, "t_dist_x@nowhere", 1:32, 0:32, 7:32>>),
    Known = lists:member(node(Pid), nodes(known)),
    %% A pid of this node that it has never made; earlier releases know none with that many bits.
    Bytes = <<131, 88, 119, (byte_size(atom_to_binary(node()))), (atom_to_binary(node()))/binary, 5:32, 16#ffffffff:32, (erlang:system_info(creation)):32>>,
    Own = try binary_to_term(Bytes) catch error:badarg -> self() end,
    Q = spawn(B, ?MODULE, echo, []),
    R = make_ref(),
    Q ! {self(), R, {Pid, Own}},
    {Known, lists:member(B, nodes(known)), next(R) =:= {Pid, Own}, node(Own) =:= node(), binary_to_term(term_to_binary(Own)) =:= Own};
starts(killed, B) ->
    process_flag(trap_exit, true),
    pong = net_adm:ping(B),
    true = erlang:monitor_node(B, true),
    P = spawn_link(B, ?MODULE, sleeper, []),
    M = monitor(process, {rex, B}),
    R = erpc:send_request(B, ?MODULE, sleeper, []),
    rpc:cast(B, erlang, halt, []),
    Lost = catch_reason(fun() -> erpc:receive_response(R, 20000) end),
    {lists:sort([next(), next(), next()]), is_pid(P), is_reference(M), Lost};
starts(global, B) ->
    pong = net_adm:ping(B),
    ok = global:sync(),
    yes = global:register_name(t_dist_global, self()),
    Here = rpc:call(B, global, whereis_name, [t_dist_global]) =:= self(),
    rpc:call(B, global, send, [t_dist_global, by_global]),
    Sent = next(),
    No = rpc:call(B, global, register_name, [t_dist_global, rpc:call(B, erlang, whereis, [rex])]),
    global:unregister_name(t_dist_global),
    {Here, Sent, No, rpc:call(B, global, whereis_name, [t_dist_global]),
     global:trans({t_dist_lock, self()}, fun() -> rpc:call(B, global, set_lock, [{t_dist_lock, other}, [node(), B], 0]) end)};
starts(pg, B) ->
    pong = net_adm:ping(B),
    {ok, S} = pg:start_link(t_dist_pg),
    {ok, _} = rpc:call(B, pg, start, [t_dist_pg]),
    {R, []} = pg:monitor(t_dist_pg, group),
    P = spawn(B, ?MODULE, sleeper, []),
    ok = rpc:call(B, pg, join, [t_dist_pg, group, P]),
    Joined = receive {R, join, group, [P]} -> yes after 20000 -> no end,
    exit(P, kill),
    Left = receive {R, leave, group, [P]} -> yes after 20000 -> no end,
    unlink(S),
    {Joined, Left, pg:get_members(t_dist_pg, group)}.

busy(P, Data) -> P ! Data, busy(P, Data).
until(F) -> case F() of true -> done; false -> until(F) end.

suspends(P, To) -> true = erlang:suspend_process(P), To ! suspended, sleeper().

catch_reason(F) -> try F() catch _:R -> R end.

cases() ->
    [{C, fun() -> pairs(C) end} || C <- [ping, send, funs, large, order, link, exits, monitor, rpc, erpc, spawn, parent, request, alias, leader, global, pg, dead_link, malformed, busy, unreadable, known, lost, killed]] ++ [{stop, fun stop/0}].

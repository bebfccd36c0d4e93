%% Three nodes: names of `global`, and a database whose nodes are killed while they write. The nodes are peers that are led over
%% their standard input, of the machine under test.
%% modes: plain interp native
-module(t_cluster).
-export([content/1, put/1, sleeper/0, unnamed/1]).
-include("diff.hrl").

-define(WAIT, 120000).
-define(TABLES, [{t_cluster_ram, ram_copies}, {t_cluster_disc, disc_copies}, {t_cluster_only, disc_only_copies}]).
-include("peers.hrl").

start(Port, Args) ->
    {ok, Peer, Node} = peer:start(#{
        connection => standard_io,
        exec => machine(self),
        wait_boot => ?WAIT,
        env => [{"ERL_EPMD_PORT", integer_to_list(Port)}, {"ERL_EPMD_ADDRESS", "127.0.0.1"}],
        args => Args ++ ["-setcookie", "t_cluster", "-kernel", "prevent_overlapping_partitions", "false", "-pa", filename:dirname(code:which(?MODULE))]
    }),
    {Peer, Node}.

named(Port, Name, Dir) ->
    {P, _} = start(Port, ["-sname", Name ++ "@localhost", "-mnesia", "dir", "\"" ++ filename:join(Dir, Name) ++ "\""]),
    {P, peer:call(P, erlang, node, [], ?WAIT)}.

kill(P) -> os:cmd("kill -9 " ++ peer:call(P, os, getpid, [], ?WAIT)).

%% A case in a process of its own, with names that nobody else has, a directory, and an epmd.
with(F) ->
    Port = free_port(),
    Unique = "t_cluster" ++ os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive])),
    Dir = filename:join(filename:dirname(code:which(?MODULE)), Unique),
    {P, M} = spawn_monitor(fun() ->
        process_flag(trap_exit, true),
        exit({value, F(Port, Unique, Dir)})
    end),
    R = receive {'DOWN', M, process, P, {value, V}} -> V; {'DOWN', M, process, P, Why} -> {died, Why} after 3 * ?WAIT -> hangs end,
    gone(100, Port),
    ok = file:del_dir_r(Dir),
    R.

gone(0, _) -> stays;
gone(N, Port) ->
    case epmd(["-port", integer_to_list(Port), "-kill"]) of
        0 -> gone;
        _ -> receive after 100 -> gone(N - 1, Port) end
    end.

three(Port, Unique, Dir) ->
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    Cluster = [named(Port, Unique ++ [$_, C], Dir) || C <- "abc"],
    [{P1, _} | Others] = Cluster,
    [pong = peer:call(P1, net_adm, ping, [N], ?WAIT) || {_, N} <- Others],
    Cluster.

sleeper() -> receive after infinity -> ok end.

until(0, _) -> late;
until(N, F) -> case F() of true -> ok; _ -> receive after 50 -> until(N - 1, F) end end.

global_names() ->
    with(fun(Port, Unique, Dir) ->
        [{P1, _}, {P2, _}, {P3, _}] = three(Port, Unique, Dir),
        All = until(400, fun() -> [length(peer:call(P, erlang, nodes, [], ?WAIT)) || P <- [P1, P2, P3]] =:= [2, 2, 2] end),
        ok = peer:call(P1, global, sync, [], ?WAIT),
        A = peer:call(P1, erlang, spawn, [?MODULE, sleeper, []]),
        B = peer:call(P3, erlang, spawn, [?MODULE, sleeper, []]),
        yes = peer:call(P2, global, register_name, [first, A], ?WAIT),
        yes = peer:call(P3, global, register_name, [second, B], ?WAIT),
        no = peer:call(P1, global, register_name, [second, A], ?WAIT),
        Seen = [[peer:call(P, global, whereis_name, [Name], ?WAIT) || Name <- [first, second]] || P <- [P1, P2, P3]],
        Same = lists:usort(Seen) =:= [[A, B]],
        [kill(P) || P <- [P3]],
        Gone = until(400, fun() ->
            [peer:call(P, global, whereis_name, [second], ?WAIT) || P <- [P1, P2]] =:= [undefined, undefined]
        end),
        Left = peer:call(P2, global, whereis_name, [first], ?WAIT) =:= A,
        [peer:stop(P) || P <- [P1, P2]],
        {All, Same, Gone, Left}
    end).

content(T) -> {atomic, L} = mnesia:transaction(fun() -> mnesia:all_keys(T) end), lists:sort(L).
put(K) -> mnesia:transaction(fun() -> [ok = mnesia:write({T, K, K}) || {T, _} <- ?TABLES], ok end).

database() -> with(fun database/3).

database(Port, Unique, Dir) ->
    Cluster = [{P1, _}, {P2, _}, {P3, N3}] = three(Port, Unique, Dir),
    Nodes = [N || {_, N} <- Cluster],
    Tables = [T || {T, _} <- ?TABLES],
    ok = peer:call(P1, mnesia, create_schema, [Nodes], ?WAIT),
    Begin = fun(P, Ts) ->
        ok = peer:call(P, mnesia, start, [], ?WAIT),
        ok = peer:call(P, mnesia, wait_for_tables, [Ts, ?WAIT], ?WAIT)
    end,
    [Begin(P, [schema]) || {P, _} <- Cluster],
    [{atomic, ok} = peer:call(P1, mnesia, create_table, [T, [{Kind, Nodes}]], ?WAIT) || {T, Kind} <- ?TABLES],
    [Begin(P, Tables) || {P, _} <- Cluster],
    Leader = self(),
    Writers = [spawn_link(fun() -> Leader ! {self(), confirmed, writer(P, Leader, I, 0, [])} end) || {I, P} <- [{1, P1}, {2, P2}]],
    wrote(60),
    kill(P3),
    wrote(60),
    {P4, N3} = named(Port, Unique ++ "_c", Dir),
    Begin(P4, Tables),
    wrote(60),
    [W ! stop || W <- Writers],
    Confirmed = lists:append([receive {W, confirmed, L} -> L after ?WAIT -> error(late) end || W <- Writers]),
    Missing = fun(Ps, Ts) ->
        lists:usort([length(Confirmed -- peer:call(P, ?MODULE, content, [T], ?WAIT)) || P <- Ps, T <- Ts])
    end,
    First = Missing([P1, P2, P4], Tables),
    [peer:stop(P) || P <- [P1, P2, P4]],
    {length(Confirmed) >= 180, First}.

writer(P, Leader, I, N, Done) ->
    receive stop -> Done
    after 0 ->
        case peer:call(P, ?MODULE, put, [{I, N}], ?WAIT) of
            {atomic, ok} -> Leader ! wrote, writer(P, Leader, I, N + 1, [{I, N} | Done]);
            _ -> writer(P, Leader, I, N + 1, Done)
        end
    end.

wrote(0) -> ok;
wrote(N) -> receive wrote -> wrote(N - 1) after ?WAIT -> error(late) end.

%% A node that gets its name from the first one that it is connected to.
dynamic_name() ->
    with(fun(Port, Unique, Dir) ->
        ok = filelib:ensure_dir(filename:join(Dir, "x")),
        {PA, A} = named(Port, Unique, Dir),
        {PB, _} = start(Port, ["-sname", "undefined@localhost"]),
        R = peer:call(PB, ?MODULE, unnamed, [A], ?WAIT),
        [peer:stop(P) || P <- [PB, PA]],
        R
    end).

news(Me, A) -> lists:sort([receive {What, N, L} -> {What, case N of Me -> me; A -> other; _ -> N end, L} after 30000 -> none end || _ <- [1, 2]]).

unnamed(A) ->
    %% Without a name nothing is connected by itself.
    true = monitor_node(A, true),
    receive {nodedown, A} -> ok after ?WAIT -> error(late) end,
    M = monitor(process, {nobody, A}),
    Why = receive {'DOWN', M, process, {nobody, A}, W} -> W after ?WAIT -> late end,
    Before = {node(), is_alive(), maps:get(name_type, net_kernel:get_state()), nodes(), Why},
    ok = net_kernel:monitor_nodes(true, [{node_type, all}]),
    Connected = net_kernel:connect_node(A),
    Me = node(),
    Up = news(Me, A),
    Named = {Me =/= nonode@nohost, nodes(), nodes(hidden) =:= [A], maps:get(name, net_kernel:get_state()) =:= Me},
    true = net_kernel:disconnect(A),
    Down = news(Me, A),
    After = {node(), nodes(hidden)},
    {Before, Connected, Up, Named, Down, After}.

cases() -> [{C, F} || {C, F} <- [{global, fun global_names/0}, {dynamic_name, fun dynamic_name/0}, {mnesia, fun database/0}]].

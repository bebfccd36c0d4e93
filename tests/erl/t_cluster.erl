%% Three nodes, and names of `global`; a node without a name. The nodes are peers that are led over their standard input, of the
%% machine under test.
%% modes: plain interp native
-module(t_cluster).
-export([sleeper/0, unnamed/1]).
-include("diff.hrl").

-define(WAIT, 120000).
-include("peers.hrl").
-include("cluster.hrl").

sleeper() -> receive after infinity -> ok end.

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

%% A node that gets its name from the first one that it is connected to.
dynamic_name() ->
    with(fun(Port, Unique, Dir) ->
        ok = filelib:ensure_dir(filename:join(Dir, "x")),
        {PA, A} = named(Port, Unique, Dir),
        {PB, _} = start(self, Port, ["-sname", "undefined@localhost"]),
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

cases() -> [{global, fun global_names/0}, {dynamic_name, fun dynamic_name/0}].

%% Shared by the suites with a cluster of three nodes, which have an epmd of their own and a directory. The nodes are peers that are led
%% over their standard input.

start(Kind, Port, Args) ->
    {ok, Peer, Node} = peer:start(#{
        connection => standard_io,
        exec => machine(Kind),
        wait_boot => ?WAIT,
        env => [{"ERL_EPMD_PORT", integer_to_list(Port)}, {"ERL_EPMD_ADDRESS", "127.0.0.1"}],
        args => Args ++ ["-setcookie", atom_to_list(?MODULE), "-kernel", "logger_level", "none", "-kernel", "prevent_overlapping_partitions", "false", "-pa", filename:dirname(code:which(?MODULE))]
    }),
    {Peer, Node}.

named(Port, Name, Dir) -> named(self, Port, Name, Dir).

named(Kind, Port, Name, Dir) ->
    {P, _} = start(Kind, Port, ["-sname", Name ++ "@localhost", "-mnesia", "dir", "\"" ++ filename:join(Dir, Name) ++ "\""]),
    {P, peer:call(P, erlang, node, [], ?WAIT)}.

kill(P) -> os:cmd("kill -9 " ++ peer:call(P, os, getpid, [], ?WAIT)).

%% A case in a process of its own, with names that nobody else has, a directory, and an epmd.
with(F) ->
    Port = free_port(),
    Unique = atom_to_list(?MODULE) ++ os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive])),
    Dir = filename:join(filename:dirname(code:which(?MODULE)), Unique),
    {P, M} = spawn_monitor(fun() ->
        process_flag(trap_exit, true),
        exit({value, F(Port, Unique, Dir)})
    end),
    R = receive {'DOWN', M, process, P, {value, V}} -> V; {'DOWN', M, process, P, Why} -> {died, Why} after 3 * ?WAIT -> hangs end,
    gone(100, Port),
    ok = file:del_dir_r(Dir),
    R.

three(Port, Unique, Dir) -> three([self, self, self], Port, Unique, Dir).

three(Kinds, Port, Unique, Dir) ->
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    Cluster = [named(Kind, Port, Unique ++ [$_, C], Dir) || {Kind, C} <- lists:zip(Kinds, "abc")],
    [{P1, _} | Others] = Cluster,
    [pong = peer:call(P1, net_adm, ping, [N], ?WAIT) || {_, N} <- Others],
    Cluster.

until(0, _) -> late;
until(N, F) -> case F() of true -> ok; _ -> receive after 50 -> until(N - 1, F) end end.

%% Shared by the suites with several nodes, which have an epmd of their own. `?WAIT` is how long they wait, in milliseconds.

%% A free port of this machine.
free_port() ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, N} = inet:port(L),
    ok = gen_tcp:close(L),
    N.

epmd(Arguments) ->
    Epmd = filename:join([code:root_dir(), "erts-" ++ erlang:system_info(version), "bin", "epmd"]),
    P = open_port({spawn_executable, Epmd}, [{args, Arguments}, exit_status, stderr_to_stdout]),
    receive {P, {exit_status, S}} -> S after ?WAIT -> late end.

%% The end of the epmd at a port, which does not go while it knows of nodes.
gone(0, _) -> stays;
gone(N, Port) ->
    case epmd(["-port", integer_to_list(Port), "-kill"]) of
        0 -> gone;
        _ -> receive after 100 -> gone(N - 1, Port) end
    end.

%% The command of a machine: its program and what comes first.
machine(self) -> words(os:getenv("ENIGMA_TEST_SELF"));
machine(beam) -> words(os:getenv("ENIGMA_TEST_BEAM")).

words(false) -> {os:find_executable("erl"), []};
words(Text) -> [Program | Arguments] = string:lexemes(Text, "\n"), {Program, Arguments}.

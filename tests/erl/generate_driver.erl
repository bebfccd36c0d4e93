%% Runs functions of generated modules and writes a line for each:
%%     Module Function Microseconds Result
%% A process of its own runs each, so that nothing is left over from the one before.
-module(generate_driver).
-export([main/1]).

%% Work: a file of {Module, [Function]} terms, and of {compile, Module} where the source has to be compiled first.
main([Work, Out, Repeat, Limit]) ->
    {ok, Terms} = file:consult(Work),
    {ok, Fd} = file:open(Out, [write, raw]),
    Limits = {list_to_integer(Repeat), list_to_integer(Limit)},
    lists:foreach(fun(T) -> work(T, Fd, Limits) end, Terms),
    ok = file:write(Fd, "end\n"),
    ok = file:close(Fd),
    halt(0).

work({compile, M}, Fd, _) ->
    case compile:file(atom_to_list(M), [return]) of
        {ok, _, _} -> ok;
        Refused -> line(Fd, [atom_to_list(M), " refused ", io_lib:format("~0p", [Refused])])
    end;
work({M, Fs}, Fd, Limits) ->
    case code:load_file(M) of
        {module, M} -> lists:foreach(fun(F) -> run(M, F, Fd, Limits) end, Fs);
        {error, Why} -> line(Fd, io_lib:format("~s unloadable ~0p", [M, Why]))
    end,
    code:delete(M),
    code:purge(M).

line(Fd, Text) -> ok = file:write(Fd, [unicode:characters_to_binary(Text), $\n]).

run(M, F, Fd, {Repeat, Limit}) ->
    Start = erlang:monotonic_time(microsecond),
    %% BEAM, whose run tells what is too much for all, has limits.
    Options = case Limit of
                  0 -> [monitor];
                  _ -> [monitor, {max_heap_size, #{size => 8000000, kill => true, error_logger => false}}]
              end,
    {Pid, Ref} = spawn_opt(fun() -> exit({result, repeat(M, F, Repeat)}) end, Options),
    After = case Limit of 0 -> infinity; _ -> Limit end,
    Result = receive
                 {'DOWN', Ref, process, Pid, {result, Text}} -> Text;
                 {'DOWN', Ref, process, Pid, killed} -> "too much";
                 {'DOWN', Ref, process, Pid, Why} -> io_lib:format("down ~0p", [Why])
             after After ->
                     exit(Pid, kill),
                     receive {'DOWN', Ref, process, Pid, _} -> ok end,
                     "too much"
             end,
    Time = erlang:monotonic_time(microsecond) - Start,
    line(Fd, [atom_to_list(M), " ", atom_to_list(F), " ", integer_to_list(Time), " ", Result]).

%% The result's text; where it is not the same each time, all.
repeat(M, F, N) ->
    case repeat(M, F, N, erlang:monotonic_time(millisecond) + 100, []) of
        [Text] -> Text;
        Several -> lists:join(" OR ", Several)
    end.

%% So many times, or as often as the time lets, but twice.
repeat(_, _, 0, _, Texts) -> Texts;
repeat(M, F, N, End, Texts) ->
    More = lists:umerge(Texts, [once(M, F)]),
    case Texts =/= [] andalso erlang:monotonic_time(millisecond) > End of
        true -> More;
        false -> repeat(M, F, N - 1, End, More)
    end.

once(M, F) ->
    erase(),
    Value = try {value, M:F()}
            catch C:R:S -> {C, R, [{X, Y, Z, proplists:get_value(line, L)} || {X, Y, Z, L} <- S, X =/= ?MODULE]}
            end,
    Kept = [{K, V} || K <- [k0, k1, k2, k3, caught, stack], (V = get(K)) =/= undefined],
    flush(),
    text(plain({Value, Kept})).

flush() -> receive _ -> flush() after 0 -> ok end.

text(Term) ->
    Text = lists:flatten(io_lib:format("~w", [Term])),
    case length(Text) of
        N when N > 1000 ->
            Hash = erlang:phash2(erlang:md5(term_to_binary(Term, [{minor_version, 2}]))),
            lists:sublist(Text, 700) ++ io_lib:format("... ~b characters, ~b", [N, Hash]);
        _ -> Text
    end.

%% Without what differs between machines: identities, order of maps.
plain([H | T]) -> [plain(H) | plain(T)];
plain(T) when is_tuple(T) -> list_to_tuple(plain(tuple_to_list(T)));
plain(M) when is_map(M) -> {map, lists:sort([{is_float(K), plain(K), plain(V)} || {K, V} <- maps:to_list(M)])};
plain(F) when is_function(F) -> {function, element(2, erlang:fun_info(F, arity))};
plain(P) when is_pid(P) -> pid;
plain(R) when is_reference(R) -> reference;
plain(X) -> X.

%% Purged modules: what processes, messages, tables and timers hold of them stays right, and their memory
%% is given back.
-module(t_purge).
-export([hold/2]).
-include("diff.hrl").

make(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text),
    Forms = [begin {ok, F} = erl_parse:parse_form(T), F end || T <- split(Tokens, [])],
    {ok, M, B} = compile:forms(Forms, [deterministic]),
    {M, B}.

split([], []) -> [];
split([{dot, _} = D | T], A) -> [lists:reverse([D | A]) | split(T, [])];
split([H | T], A) -> split(T, [H | A]).

load(Text) -> {M, B} = make(Text), {module, M} = code:load_binary(M, atom_to_list(M) ++ ".erl", B), M.
drop(M) -> code:purge(M), code:delete(M), code:purge(M).

%% A module with literals of many kinds: f/0 gives one term of them, g/0 parts of it.
lits() ->
    load("-module(t_purge_l). -export([f/0, big/0, bin/0]). "
         "f() -> {lit, [1, 2, {3, \"abc\"}], #{a => [1], \"b\" => {x}}, 1.0e300, 123456789012345678901234567890}. "
         "big() -> 340282366920938463463374607431768211456. "
         "bin() -> <<\"a binary that is too long to lie in a heap, so that it is counted and shared by all\">>.").

%% Waits until the collector of literal areas has nothing to do.
settle() -> receive after 50 -> ok end, garbage_collect().

gone() -> drop(t_purge_l), settle().

%% A process that holds what F gives in a way that How says and gives it out when asked.
hold(F, stack) -> X = F(), receive {P, go} -> P ! {held, X} end;
hold(F, dict) -> put(x, F()), receive {P, go} -> P ! {held, get(x)} end;
hold(F, old) -> X = {F()}, garbage_collect(), garbage_collect(), receive {P, go} -> P ! {held, X} end;
hold(F, inside) -> X = [{I, F()} || I <- lists:seq(1, 3)], receive {P, go} -> P ! {held, X} end;
hold(F, queue) -> self() ! {q, F()}, receive {P, go} -> receive {q, X} -> P ! {held, X} end end;
hold(F, env) -> X = F(), G = fun() -> X end, receive {P, go} -> P ! {held, G()} end;
hold(F, binary) -> <<_, R/binary>> = F(), receive {P, go} -> P ! {held, R} end;
hold(F, exit) -> X = F(), receive {P, go} -> P ! {held, catch exit(X)} end;
hold(F, large) -> X = F(), L = lists:seq(1, 200000), receive {P, go} -> P ! {held, {X, lists:sum(L)}} end;
hold(F, large_old) -> X = {F()}, L = lists:seq(1, 200000), garbage_collect(), garbage_collect(), receive {P, go} -> P ! {held, {X, lists:sum(L)}} end;
hold(F, hibernate) -> X = F(), proc_lib:hibernate(erlang, apply, [fun() -> receive {P, go} -> P ! {held, X} end end, []]).

held(F, How) ->
    lits(),
    P = proc_lib:spawn(?MODULE, hold, [F, How]),
    receive after 20 -> ok end,
    gone(),
    P ! {self(), go},
    receive {held, X} -> X after 2000 -> none end.

%% Purges with the code purger's own test request: Between runs while the purge is under way.
test_purge(M, Hard, Between) ->
    Ref = make_ref(),
    erts_code_purger ! {test_purge, M, self(), Hard, Ref},
    receive {started, Ref} -> ok end,
    X = Between(),
    erts_code_purger ! {continue, Ref},
    receive {continued, Ref} -> ok end,
    erts_code_purger ! {complete, Ref},
    receive {test_purge, R, Ref} -> {X, R} end.

fun_module(N) ->
    load("-module(t_purge_f). -export([f/0, loop/0]). f() -> fun(X) -> {" ++ integer_to_list(N) ++ ", X} end. "
         "loop() -> receive stop -> " ++ integer_to_list(N) ++ " end.").

%% Calls F in a process of its own; gives a function that fetches the result.
calling(F) ->
    S = self(),
    P = spawn(fun() -> S ! {self(), cr(fun() -> F(arg) end)} end),
    receive after 30 -> ok end,
    {process_info(P, status), fun() -> receive {P, R} -> R after 2000 -> none end end}.

status({status, S}) -> S;
status(undefined) -> gone.

rss() ->
    {ok, B} = file:read_file("/proc/self/status"),
    {match, [R]} = re:run(B, "VmRSS:\\s+(\\d+)", [{capture, all_but_first, list}]),
    list_to_integer(R).

literal(0) -> [];
literal(N) -> [{element, N, "some text that takes memory", 1.5} | literal(N - 1)].

%% Loads a module with large literals N times; the resident memory may not grow with N.
growth(N) ->
    Bs = [begin
              Forms = [{attribute, 1, module, t_purge_g}, {attribute, 1, export, [{f, 0}]},
                       {function, 1, f, 0, [{clause, 1, [], [], [erl_parse:abstract({I, literal(2000)})]}]}],
              {ok, t_purge_g, B} = compile:forms(Forms, [deterministic]),
              B
          end || I <- [1, 2]],
    Round = fun(I) ->
                    code:purge(t_purge_g),
                    {module, _} = code:load_binary(t_purge_g, "x", lists:nth(I rem 2 + 1, Bs)),
                    {_, L} = t_purge_g:f(),
                    2000 = length(L)
            end,
    [Round(I) || I <- lists:seq(1, 20)],
    settle(),
    A = rss(),
    [Round(I) || I <- lists:seq(1, N)],
    settle(),
    drop(t_purge_g),
    rss() - A < 60000.

cases() ->
    L = fun() -> t_purge_l:f() end,
    [{held_in_large, heavy, fun() -> [held(L, How) || How <- [large, large_old]] end}] ++
    [{list_to_atom("hold_" ++ atom_to_list(How)), fun() -> held(L, How) end} || How <- [stack, dict, old, inside, queue, env, exit, hibernate]] ++
    [{hold_big, fun() -> held(fun() -> t_purge_l:big() end, stack) end},
     {hold_part, fun() -> held(fun() -> element(3, t_purge_l:f()) end, old) end},
     {hold_tails, fun() -> held(fun() -> T = element(2, element(3, lists:nth(3, element(2, {x, [0, 0, {y, z, t_purge_l:f()}]})))), [T, tl(element(2, element(3, {1, 2, t_purge_l:f()})))] end, inside) end},
     {hold_binary, fun() -> held(fun() -> t_purge_l:bin() end, binary) end},
     {ets, fun() -> lits(), T = ets:new(x, [bag]), ets:insert(T, {1, t_purge_l:f()}), ets:insert(T, {t_purge_l:f(), 1}), gone(), lists:sort(ets:tab2list(T)) end},
     {ets_match_spec, fun() -> lits(), T = ets:new(x, []), ets:insert(T, [{I, I} || I <- lists:seq(1, 20)]), C = ets:match_spec_compile([{{'$1', '_'}, [], [{{'$1', {const, t_purge_l:f()}}}]}]), gone(), lists:sort(ets:match_spec_run(ets:lookup(T, 3), C)) end},
     {begun_before_delete, fun() -> [begin load("-module(t_purge_b). -export([start/0, wait/1]). start() -> S = self(), P = spawn(t_purge_b, wait, [S]), receive {P, begun} -> P end. wait(S) -> S ! {self(), begun}, receive stop -> ok end."), P = t_purge_b:start(), D = code:delete(t_purge_b), R = {D, erlang:check_process_code(P, t_purge_b), code:purge(t_purge_b), is_process_alive(P)}, exit(P, kill), R end || _ <- lists:seq(1, 20)] end},
     {persistent_term, fun() -> lits(), persistent_term:put({?MODULE, x}, t_purge_l:f()), gone(), R = persistent_term:get({?MODULE, x}), persistent_term:erase({?MODULE, x}), settle(), R end},
     {persistent_term_replaced, fun() -> persistent_term:put({?MODULE, y}, [a, {b, "c"}]), X = persistent_term:get({?MODULE, y}), persistent_term:put({?MODULE, y}, other), settle(), R = {X, persistent_term:get({?MODULE, y})}, persistent_term:erase({?MODULE, y}), settle(), R end},
     {persistent_term_many, fun() -> [persistent_term:put({?MODULE, I rem 7}, {I, lists:seq(1, 50)}) || I <- lists:seq(1, 300)], X = [persistent_term:get({?MODULE, I}) || I <- lists:seq(0, 6)], [persistent_term:erase({?MODULE, I}) || I <- lists:seq(0, 6)], settle(), X end},
     {timer, fun() -> lits(), erlang:send_after(200, self(), {t, t_purge_l:f()}), gone(), receive {t, X} -> X after 2000 -> none end end},
     {exit_reason, fun() -> lits(), P = spawn(fun() -> X = t_purge_l:f(), receive go -> exit(X) end end), R = monitor(process, P), receive after 20 -> ok end, gone(), P ! go, receive {'DOWN', R, _, _, W} -> W after 2000 -> none end end},
     {monitor_tag, fun() -> lits(), P = spawn(fun() -> receive go -> ok end end), R = monitor(process, P, [{tag, t_purge_l:f()}]), gone(), P ! go, receive {T, R, process, _, W} -> {T, W} after 2000 -> none end end},
     {spawn_args, fun() -> lits(), S = self(), X = t_purge_l:f(), P = spawn(fun() -> receive go -> S ! {x, X} end end), gone(), P ! go, receive {x, Y} -> Y after 2000 -> none end end},
     {many_holders, fun() -> lits(), S = self(), Ps = [spawn(fun() -> X = t_purge_l:f(), receive go -> S ! {x, I, X} end end) || I <- lists:seq(1, 100)], receive after 20 -> ok end, gone(), [P ! go || P <- Ps], lists:usort([receive {x, _, Y} -> Y after 2000 -> none end || _ <- Ps]) end},
     {messages_during, fun() -> ring(20) end},
     {soft_purge_fun_waits, fun() -> fun_module(1), F = t_purge_f:f(), P = spawn(t_purge_f, loop, []), fun_module(2), {{St, Get}, R} = test_purge(t_purge_f, false, fun() -> calling(F) end), V = Get(), P ! stop, drop(t_purge_f), {status(St), R, V} end},
     {hard_purge_fun_waits, fun() -> fun_module(1), F = t_purge_f:f(), fun_module(2), {{St, Get}, R} = test_purge(t_purge_f, true, fun() -> calling(F) end), V = Get(), drop(t_purge_f), {status(St), R, element(1, V), element(1, element(2, V))} end},
     {hard_purge_kills, fun() -> fun_module(1), {P, Ref} = spawn_monitor(t_purge_f, loop, []), receive after 20 -> ok end, fun_module(2), {_, R} = test_purge(t_purge_f, true, fun() -> ok end), W = receive {'DOWN', Ref, _, P, Y} -> Y after 2000 -> none end, drop(t_purge_f), {R, W} end},
     {fun_of_both_versions, fun() -> fun_module(1), F = t_purge_f:f(), fun_module(2), G = t_purge_f:f(), A = [F(a), G(a)], B = code:soft_purge(t_purge_f), C = G(b), drop(t_purge_f), {A, B, C} end},
     {same_file_twice, fun() -> fun_module(1), F = t_purge_f:f(), fun_module(1), R = [code:soft_purge(t_purge_f), F(x)], drop(t_purge_f), fun_module(1), X = F(y), drop(t_purge_f), {R, X} end},
     {on_load_fun, fun() -> load("-module(t_purge_o). -export([f/0]). -on_load(i/0). i() -> lists:foreach(fun(X) -> put(X, X) end, [1, 2]), ok. f() -> ok."), R = t_purge_o:f(), drop(t_purge_o), R end},
     {on_load_fails_with_process, fun() -> {M, B} = make("-module(t_purge_p). -export([f/0]). -on_load(i/0). i() -> register(t_purge_p, spawn(fun() -> loop() end)), not_ok. loop() -> receive x -> ok end. f() -> ok."), R = code:load_binary(M, "x", B), receive after 50 -> ok end, {R, whereis(t_purge_p)} end},
     {purge_nothing, fun() -> [code:purge(no_such_module_zz), code:soft_purge(no_such_module_zz), erts_internal:purge_module(no_such_module_zz, prepare)] end},
     {stack_trace_of_purged, fun() -> load("-module(t_purge_s). -export([f/1]). f(X) -> [g(X)]. g(X) -> error(X)."), P = self(), spawn(fun() -> try t_purge_s:f(x) catch _:_:S -> drop(t_purge_s), settle(), P ! {trace, is_list(S)} end end), receive {trace, T} -> T after 3000 -> none end end},
     {memory_is_given_back, heavy, fun() -> growth(150) end}].

%% Processes that send a literal round while its module goes.
ring(N) ->
    lits(),
    S = self(),
    Ps = [spawn(fun() -> node_of(S) end) || _ <- lists:seq(1, N)],
    [P ! {next, Q} || {P, Q} <- lists:zip(Ps, tl(Ps) ++ [hd(Ps)])],
    [P ! {token, 40, t_purge_l:f()} || P <- Ps],
    gone(),
    Vs = [receive {done, X} -> X after 5000 -> none end || _ <- Ps],
    [exit(P, kill) || P <- Ps],
    lists:usort(Vs).

node_of(S) -> receive {next, Q} -> node_of(S, Q) end.

node_of(S, Q) ->
    receive
        {token, 0, X} -> S ! {done, X};
        {token, N, X} -> receive after 1 -> ok end, Q ! {token, N - 1, X}
    end,
    node_of(S, Q).

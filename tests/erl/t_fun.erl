%% Funs and all forms of call.
-module(t_fun).
-export([f0/0, f1/1, f2/2, va/1, by_list/2, in_by_list/2, many/12, spin/2]).
-include("diff.hrl").

f0() -> zero.
f1(X) -> {one, X}.
f2(X, Y) -> {two, X, Y}.
va(F) -> F().

loc1(X) -> {loc, X}.

compose(F, G) -> fun(X) -> F(G(X)) end.
adder(N) -> fun(X) -> X + N end.
counter(N) -> fun() -> {N, counter(N + 1)} end.

y(F) -> (fun(X) -> X(X) end)(fun(G) -> F(fun(A) -> (G(G))(A) end) end).

many(A, B, C, D, E, F, G, H, I, J, K, L) -> [A, B, C, D, E, F, G, H, I, J, K, L].

%% A fun of a module that is not loaded yet, stated to have another arity and another number of free variables
%% than the module's; then the module.
forged(Arity, Free) ->
    {ok, Ts, _} = erl_scan:string("-module(t_fun_forged). -export([f/0, g/1]). f() -> fun(X) -> X + 1 end. g(A) -> fun(X) -> {A, X} end."),
    Forms = [begin {ok, F} = erl_parse:parse_form(T), F end || T <- forms(Ts, [])],
    {ok, M, Code} = compile:forms(Forms, [deterministic]),
    {ok, {_, [{"FunT", <<_:32, _Name:32, _:32, _:32, Index:32, _:32, Old:32, _/binary>>}]}} = beam_lib:chunks(Code, ["FunT"]),
    {ok, {_, Uniq}} = beam_lib:md5(Code),
    Env = binary:copy(<<106>>, Free),
    <<131, Pid/binary>> = term_to_binary(self()),
    Name = atom_to_binary(M),
    Body = <<Arity, Uniq/binary, Index:32, Free:32, 119, (byte_size(Name)), Name/binary, 97, Index, 98, Old:32, Pid/binary, Env/binary>>,
    Fun = binary_to_term(<<131, 112, (4 + byte_size(Body)):32, Body/binary>>),
    {module, M} = code:load_binary(M, "", Code),
    R = {c2(fun() -> (M:f())(1) end), is_function(M:f(), 1), is_function(Fun, Arity), c2(fun() -> (M:g(a))(1) end),
         [c2(fun() -> apply(Fun, lists:seq(1, N)) end) || N <- [0, 1, 3, 5]]},
    code:purge(M), code:delete(M), code:purge(M),
    R.

%% Several processes at once call each of many funs of a new module for the first time.
called_first_at_once(Funs, Callers) ->
    Numbers = lists:seq(1, Funs),
    Text = ["-module(t_fun_first). -export([f/0]). ",
            [io_lib:format("h~w(A, B) -> {A, h~w, B}. ", [N, N]) || N <- Numbers],
            "f() -> [", lists:join(", ", [io_lib:format("fun(A, B) -> {~w, h~w(B, A)} end", [N, N]) || N <- Numbers]), "]."],
    {ok, Ts, _} = erl_scan:string(lists:flatten(Text)),
    {ok, M, Code} = compile:forms([begin {ok, F} = erl_parse:parse_form(T), F end || T <- forms(Ts, [])], [deterministic]),
    {module, M} = code:load_binary(M, "", Code),
    All = M:f(),
    Ps = [spawn_monitor(fun() -> receive go -> exit([{F(P, b), F(b, P)} || F <- All]) end end) || P <- lists:seq(1, Callers)],
    [P ! go || {P, _} <- Ps],
    R = [receive {'DOWN', Ref, process, _, X} -> X end || {_, Ref} <- Ps],
    code:purge(M), code:delete(M), code:purge(M),
    R.

%% Functions that variables name, as the last thing and not.
named(M, F) -> {c2(fun() -> {M:F(id([1, 2]))} end), c2(fun() -> M:F(id([1, 2])) end), cr(fun() -> M:F(id(-1)) end)}.
apply_two(M, F, A, B) -> [M:F(A, B)].
apply_last_two(M, F, A, B) -> M:F(A, B).
apply_many_last(M, F, X) -> M:F(X, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, X).
in_list(_, _, []) -> [];
in_list(M, F, [H | T]) -> [M:F(H) | in_list(M, F, T)].
spin(M, F) -> M:F(M, F).

forms([], []) -> [];
forms([{dot, _} = D | T], A) -> [lists:reverse([D | A]) | forms(T, [])];
forms([H | T], A) -> forms(T, [H | A]).

c2(F) -> case cr(F) of {error, {badfun, _}} -> badfun; {error, {badarity, {_, A}}} -> {badarity, length(A)}; R -> R end.

nested(0, A) -> A;
nested(N, A) -> nested(N - 1, id([erlang, apply, A])).

%% Where errors are told that come of applying a fun to arguments in all ways.
applied(F, A) ->
    {module, M} = erlang:fun_info(F, module),
    {name, N} = erlang:fun_info(F, name),
    [told(G) || G <- [fun() -> apply(F, A) end, fun() -> {apply(F, A)} end,
                      fun() -> erlang:apply(erlang, apply, [F, A]) end, fun() -> {erlang:apply(erlang, apply, [F, A])} end,
                      fun() -> G = id(fun erlang:apply/2), G(F, A) end, fun() -> G = id(fun erlang:apply/2), {G(F, A)} end,
                      fun() -> lists:foldl(id(fun erlang:apply/2), A, [F]) end,
                      fun() -> lists:map(fun(X) -> apply(F, X) end, [A]) end,
                      fun() -> case A of [X] -> F(X); _ -> none end end, fun() -> {case A of [X] -> F(X); _ -> none end} end,
                      fun() -> apply(M, N, A) end, fun() -> {apply(M, N, A)} end,
                      fun() -> case A of [X] -> M:N(X); _ -> none end end, fun() -> {case A of [X] -> M:N(X); _ -> none end} end]].

told(F) ->
    try F() of
        V -> {ok, V}
    catch
        C:R:S -> {C, R, [{M, N, A} || {M, N, A, _} <- S, M =/= diff_driver]}
    end.

kind(R) when is_tuple(R) -> element(1, R);
kind(R) -> R.

by_list(F, L) -> apply(F, L).
in_by_list(F, L) -> {apply(F, L)}.

%% External funs in loops: functions of modules, of one that is loaded by the call, BIFs, those that work in steps, wait, raise or are not there.
mapped(F, L) -> [F(X) || X <- L].
in_tail(F, X) -> F(X).
in_tail(F, X, Y) -> F(X, Y).

external(F, L) ->
    Seen = fun(G) -> try G() catch C:R:S -> {C, R, top(S), length([1 || {?MODULE, mapped, _, _} <- S])} end end,
    {Seen(fun() -> lists:map(F, L) end), Seen(fun() -> mapped(F, L) end), [Seen(fun() -> in_tail(F, X) end) || X <- L]}.

externals() ->
    Long = lists:seq(1, 100000),
    Self = self(),
    [external(F, L)
     || {F, L} <- [{fun erlang:abs/1, [1, -2, 3.5, a]}, {fun ?MODULE:f1/1, [1, 2]}, {fun ?MODULE:nope/1, [1]}, {fun t_fun_absent:nope/1, [1]},
                   {fun erlang:throw/1, [ball]}, {fun erlang:error/1, [reason]}, {fun erlang:exit/1, [reason]},
                   {fun erlang:atom_to_list/1, [a, 1]}, {fun erlang:length/1, [[1], x]}, {fun lists:max/1, [[1, 2], []]},
                   {fun erlang:is_process_alive/1, [Self, x]}, {fun erlang:binary_to_term/1, [<<131, 106>>, <<>>]}]] ++
        [erlang:phash2(lists:map(F, [L, L])) || {F, L} <- [{fun lists:reverse/1, Long}, {fun erlang:list_to_tuple/1, Long}, {fun erlang:term_to_binary/1, Long}]] ++
        [lists:foldl(fun erlang:max/2, 0, [3, 9, 4]), lists:foldl(fun erlang:'++'/2, [], [[1], [2]]), in_tail(fun erlang:apply/2, fun ?MODULE:f1/1, [7]),
         c(fun() -> in_tail(fun erlang:error/2, r, [1]) end), lists:map(fun string:uppercase/1, ["a", <<"b">>])].

cases() ->
    [{externals, fun externals/0},
     {called_first_at_once, fun() -> called_first_at_once(40, 6) end},
     {by_list_traces, fun() ->
         Fs = [{foo, [1]}, {fun() -> ok end, [1]}, {fun lists:reverse/1, [1, 2]}, {fun lists:nope/1, [1]}, {foo, x}, {foo, [1 | 2]}, {fun lists:reverse/1, [1 | 2]}, {fun erlang:abs/1, [a]}, {fun(X) -> error(X) end, [a]}, {fun erlang:apply/2, [foo, [1]]}],
         Trace = fun(G) -> try G() catch C:R:S -> {C, kind(R), [{Fn, if is_list(A) -> length(A); true -> A end} || {M, Fn, A, _} <- S, M =:= ?MODULE, Fn =:= by_list orelse Fn =:= in_by_list]} end end,
         [[Trace(fun() -> by_list(F, L) end), Trace(fun() -> in_by_list(F, L) end), Trace(fun() -> {by_list(F, L)} end)] || {F, L} <- Fs] end},
     {applied_to_itself, fun() -> [apply(erlang, apply, nested(200000, A)) || A <- id([[erlang, abs, [-3]], [fun erlang:abs/1, [-4]]])] end},
     {applied, fun() -> [{F, A, applied(F, A)} || {F, A} <- [{fun erlang:atom_to_list/1, [1]}, {fun erlang:atom_to_list/1, []}, {fun erlang:atom_to_list/1, x}, {fun erlang:error/1, [x]}, {fun erlang:throw/1, [x]}, {fun erlang:exit/1, [x]}, {fun no_module:f/1, [1]}, {fun lists:reverse/1, [x]}, {fun erlang:length/1, [x]}]] end},
     {forged_arity, fun() -> forged(5, 0) end},
     {forged_environment, fun() -> forged(0, 3) end},
     {forged_to_nothing, fun() -> forged(0, 0) end},
     {call_local, fun() -> F = fun(X) -> X + 1 end, F(id(1)) end},
     {closure, fun() -> A = id(10), F = fun(X) -> X + A end, [F(1), F(2)] end},
     {closure_many, fun() -> [A, B, C, D, E] = id([1, 2, 3, 4, 5]), F = fun(X) -> {X, A, B, C, D, E} end, F(0) end},
     {adders, fun() -> [(adder(N))(10) || N <- [1, 2, 3]] end},
     {compose, fun() -> (compose(adder(1), fun(X) -> X * 2 end))(5) end},
     {counter, fun() -> {0, C1} = (counter(0))(), {1, C2} = C1(), {N, _} = C2(), N end},
     {y_comb, fun() -> F = y(fun(S) -> fun(0) -> 1; (N) -> N * S(N - 1) end end), F(10) end},
     {named_fun, fun() -> F = fun Fact(0) -> 1; Fact(N) -> N * Fact(N - 1) end, F(20) end},
     {multi_clause, fun() -> F = fun(a) -> 1; ({b, X}) when X > 1 -> 2; (_) -> 3 end, [F(a), F({b, 2}), F({b, 0})] end},
     {fun_clause_error, fun() -> F = fun(a) -> 1 end, c(fun() -> F(id(b)) end) end},
     {local_ref, fun() -> [(id(fun loc1/1))(5), (id(fun f2/2))(1, 2)] end},
     {ext_ref, fun() -> [(id(fun t_fun:f1/1))(5), (id(fun ?MODULE:f0/0))()] end},
     {ext_ref_dynamic, fun() -> M = id(t_fun), F = id(f1), A = id(1), (fun M:F/A)(x) end},
     {ext_ref_bad, fun() -> [c(fun() -> M = id(1), fun M:f/1 end), c(fun() -> A = id(x), fun m:f/A end)] end},
     {make_fun, fun() -> [(erlang:make_fun(t_fun, f1, 1))(7), c(fun() -> erlang:make_fun(id(1), f, 1) end), c(fun() -> erlang:make_fun(m, f, id(-1)) end)] end},
     {apply_2, fun() -> [apply(id(fun f1/1), id([1])), apply(id(fun() -> x end), [])] end},
     {apply_3, fun() -> [apply(id(t_fun), id(f2), id([1, 2])), apply(t_fun, f0, [])] end},
     {apply_var, fun() -> M = id(t_fun), F = id(f1), [M:F(1), t_fun:F(2), M:f1(3)] end},
     {apply_named, fun() -> [named(M, F) || M <- [t_fun, lists, erlang, t_fun_nowhere, 1, {}], F <- [f1, reverse, abs, no_such, "f", f1]] end},
     {apply_to_apply, fun() -> {apply_two(id(erlang), id(apply), id(fun(X) -> {x, X} end), [1]), apply_last_two(id(erlang), id(apply), id(fun(X) -> {x, X} end), [2])} end},
     {apply_many_named, fun() -> M = id(t_fun), F = id(many), {M:F(a, b, c, d, e, f, g, h, i, j, k, l), apply_many_last(M, F, id(1)), hd(M:F(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))} end},
     {apply_in_list, fun() -> [in_list(id(t_fun), id(f1), id([1, 2, 3])), c2(fun() -> in_list(id(t_fun), id(f1), id([1 | 2])) end), c2(fun() -> in_list(id(t_fun), id(gone), id([1])) end)] end},
     {apply_counts, fun() -> P = spawn(fun() -> spin(id(t_fun), id(spin)) end), receive after 20 -> ok end, R = is_process_alive(P), exit(P, kill), R end},
     {apply_bad, fun() -> [c(fun() -> apply(id(t_fun), id(f1), id([1 | 2])) end), c(fun() -> apply(id(t_fun), id(f1), id(a)) end), c(fun() -> apply(id(1), id(f1), id([])) end), c(fun() -> apply(id(fun f1/1), id(x)) end), c(fun() -> apply(id(x), id([])) end), c(fun() -> apply(id(t_fun), id(1), id([])) end)] end},
     {apply_many_args, fun() -> [apply(fun many/12, lists:seq(1, 12)), apply(fun(A) -> A end, [id(x)])] end},
     {apply_too_many_args, fun() -> [{N, cr(fun() -> apply(id(lists), id(foo), lists:seq(1, N)) end), element(1, cr(fun() -> apply(id(fun(_) -> ok end), lists:seq(1, N)) end)), cr(fun() -> apply(id(x), lists:seq(1, N)) end)} || N <- [255, 256, 1023, 1024, 5000]] end},
     {apply_300_args, fun() -> cr(fun() -> apply(id(lists), id(foo), lists:seq(1, 300)) end) end},
     {apply_many, fun() -> [{N, many(fun(L) -> apply(id(lists), id(foo), L) end, N), many(fun(L) -> apply(id(no_such_module), id(foo), L) end, N), many(fun(L) -> (id(erlang)):(id(apply))(lists, foo, L) end, N)} || N <- [255, 256, 300, 1023, 1024, 70000]] end},
     {apply_fun_many, fun() -> [{N, many(fun(L) -> apply(id(fun lists:foo/2), L) end, N), many(fun(L) -> apply(id(fun() -> ok end), L) end, N), many(fun(L) -> apply(id(x), L) end, N)} || N <- [255, 300, 1022, 1023, 1024, 70000]] end},
     {apply_improper, fun() -> [{many(fun(L) -> apply(id(lists), id(foo), L ++ x) end, N), many(fun(L) -> apply(id(fun id/1), L ++ x) end, N)} || N <- [1, 300, 2000]] end},
     {spawn_many, fun() -> [{N, many(fun(L) -> {P, R} = spawn_monitor(lists, foo, L), receive {'DOWN', R, process, P, W} -> W end end, N)} || N <- [255, 256, 1023, 1024]] end},
     {hibernate_many, fun() -> [{N, many(fun(L) -> {P, R} = spawn_monitor(erlang, hibernate, [lists, foo, L]), receive {'DOWN', R, process, P, W} -> W after 50 -> exit(P, kill), hibernates end end, N)} || N <- [255, 256, 257, 1024, 1025]] end},
     {make_fun_many, fun() -> [cr(fun() -> erlang:make_fun(lists, foo, id(N)) end) || N <- [255, 256, 257, 1 bsl 70, -1]] end},
     {apply_bif, fun() -> [apply(id(erlang), id(length), id([[1, 2]])), apply(id(lists), id(reverse), id([[1, 2]]))] end},
     {many_args, fun() -> many(id(1), 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, id(12)) end},
     {badfun_kinds, fun() -> [c(fun() -> (id(X))(1) end) || X <- [1, a, "f", {m, f}, <<>>, #{}]] end},
     {badarity_kinds, fun() -> [cr(fun() -> (id(F))(1, 2, 3) end) || F <- [fun lists:map/2, fun f1/1]] end},
     {info_ext, fun() -> lists:sort(erlang:fun_info(id(fun lists:map/2))) end},
     {info_local, fun() -> A = id(1), F = fun(X) -> X + A end, [erlang:fun_info(F, I) || I <- [arity, env, module, type, name]] end},
     {info_local_pid, fun() -> F = fun() -> ok end, {pid, P} = erlang:fun_info(F, pid), is_pid(P) end},
     {info_index, fun() -> F = fun(X) -> X end, [begin {K, V} = erlang:fun_info(F, K), is_integer(V) end || K <- [index, new_index]] end},
     {info_uniq, fun() -> F = fun(X) -> X end, {new_uniq, B} = erlang:fun_info(F, new_uniq), {uniq, U} = erlang:fun_info(F, uniq), {byte_size(B), is_integer(U), B =:= t_fun:module_info(md5)} end},
     {info_bad, fun() -> [c(fun() -> erlang:fun_info(id(x), arity) end), c(fun() -> erlang:fun_info(id(fun f1/1), foo) end), c(fun() -> erlang:fun_info(id(a)) end)] end},
     {info_mfa, fun() -> [erlang:fun_info_mfa(id(fun lists:map/2))] end},
     {to_list, fun() -> F = fun(X) -> X end, "#Fun<t_fun." ++ _ = erlang:fun_to_list(F), erlang:fun_to_list(fun a:b/3) end},
     {equality, fun() -> F = fun f1/1, G = fun f1/1, H = adder(1), [F =:= G, adder(1) =:= H, adder(2) =:= H, fun a:b/1 =:= fun a:b/1] end},
     {in_guard, fun() -> [case id(F) of G when is_function(G, 0) -> zero; G when is_function(G, 1) -> one; G when is_function(G) -> more; _ -> no end || F <- [fun f0/0, fun f1/1, fun f2/2, x]] end},
     {as_map_value, fun() -> M = #{add => fun(A, B) -> A + B end, mul => fun(A, B) -> A * B end}, [(maps:get(K, M))(3, 4) || K <- [add, mul]] end},
     {as_map_key, fun() -> M = #{fun lists:map/2 => a, fun lists:map/1 => b}, [maps:get(fun lists:map/2, M), maps:get(id(fun lists:map/1), M)] end},
     {nested_env, fun() -> F = fun(A) -> fun(B) -> fun(C) -> A * 100 + B * 10 + C end end end, ((F(1))(2))(3) end},
     {send_fun, fun() -> S = self(), N = id(7), spawn(fun() -> S ! fun(X) -> X * N end end), receive F -> F(6) end end},
     {big_env, fun() -> L = lists:seq(1, 1000), F = fun() -> lists:sum(L) end, S = self(), spawn(fun() -> S ! {r, F()} end), receive {r, R} -> R end end},
     {recursion_via_fun, fun() -> F = fun(_, 0) -> done; (G, N) -> G(G, N - 1) end, F(F, 100000) end},
     {fun_in_list_comp, fun() -> [F(3) || F <- [fun(X) -> X end, fun(X) -> X * X end, adder(4)]] end},
     {va, fun() -> [va(id(fun f0/0)), c(fun() -> va(id(fun f1/1)) end)] end},
     {sort_by_fun, fun() -> lists:sort(fun({_, A}, {_, B}) -> A =< B end, [{x, 3}, {y, 1}, {z, 2}]) end},
     {shadow, fun() -> X = id(1), F = fun(X) -> X end, {F(2), X} end},
     {tail_call_fun, fun() -> lists:foldl(fun(F, A) -> F(A) end, 0, lists:duplicate(1000, adder(1))) end}].

%% What F does with N arguments; lists of them as their number.
many(F, N) ->
    try F(lists:seq(1, N)) of
        V -> {ok, short(V)}
    catch
        C:R:S -> {C, short(R), short(hd(S))}
    end.

short(L) when is_list(L), length(L) > 200 -> {arguments, length(L)};
short([H | T]) -> [short(H) | short(T)];
short(T) when is_tuple(T) -> list_to_tuple(short(tuple_to_list(T)));
short(T) -> T.

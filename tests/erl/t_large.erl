%% Code whose operands are larger than usual: sizes, indexes, numbers of clauses, lines.
-module(t_large).
-include("diff.hrl").

cases() ->
    [{tuple_with_variable, fun() -> M = made(large_tuple, [clause([v('X')], {tuple, 1, [v('X') | [i(N * 1000) || N <- lists:seq(1, 20000)]]})]),
                                    T = M:f(self()), {tuple_size(T), element(1, T) =:= self(), element(2, T), element(20001, T), erlang:phash2(setelement(1, T, x))} end},
     {tuple_of_small, fun() -> M = made(large_tuple_small, [clause([v('X')], {tuple, 1, [v('X') | [i(N rem 7) || N <- lists:seq(1, 66000)]]})]),
                               T = M:f({a, 1}), {tuple_size(T), erlang:phash2(T)} end},
     {select, fun() -> M = made(large_select, [clause([i(N * 7919)], i(N)) || N <- lists:seq(1, 33000)]),
                       [cr(fun() -> M:f(N) end) || N <- [7919, 7919 * 2, 7919 * 32768, 7919 * 32769, 7919 * 33000, 7919 * 33001, 5]] end},
     {element, fun() -> T = id(erlang:make_tuple(70000, a, [{65536, b}, {65537, c}, {70000, d}])), [element(N, T) || N <- [65535, 65536, 65537, 70000]] end},
     {lines, fun() -> [where(L, N) || {L, N} <- [{1, 0}, {16777214, 0}, {16777215, 0}, {16777216, 0}, {100000000, 0}, {5, 252}, {5, 253}, {5, 254}, {5, 300}]] end}].

v(Name) -> {var, 1, Name}.

i(N) -> {integer, 1, N}.

clause(Args, Body) -> {clause, 1, Args, [], [Body]}.

made(M, Clauses) -> loaded(M, [{attribute, 1, export, [{f, 1}]}, {function, 1, f, 1, Clauses}]).

loaded(M, Forms) ->
    {ok, M, B} = compile:forms([{attribute, 1, file, {"m.erl", 1}}, {attribute, 1, module, M} | Forms], [binary, no_ssa_opt, no_type_opt, nowarn_unused_function, {error_location, line}]),
    code:purge(M),
    {module, M} = code:load_binary(M, "m", B),
    M.

%% Where a function on line L fails whose module has N other files.
where(L, N) ->
    Raise = fun(Name, Line) -> {function, Line, Name, 1, [{clause, Line, [{var, Line, 'X'}], [], [{call, Line, {remote, Line, {atom, Line, erlang}, {atom, Line, error}}, [{var, Line, 'X'}]}]}]} end,
    Others = [[{attribute, 1, file, {"f" ++ integer_to_list(K) ++ ".erl", 1}}, Raise(list_to_atom("g" ++ integer_to_list(K)), 2)] || K <- lists:seq(1, N)],
    M = loaded(large_lines, [{attribute, 1, compile, export_all} | lists:append(Others)] ++ [{attribute, 1, file, {"last.erl", 1}}, Raise(f, L)]),
    try M:f(x) catch error:x:S -> hd(S) end.

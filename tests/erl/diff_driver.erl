%% Runs the cases of a suite module and prints one line for each of them.
%%
%% main/1 prints with io:format and so needs a booted kernel and stdlib;
%% mini/1 needs nothing but erlang:display/1. A suite module exports cases/0,
%% a list of {Name, Fun} or {Name, heavy, Fun}; heavy cases are left out when
%% the second argument is "light".
-module(diff_driver).
-export([main/1, mini/1, norm/1]).

-define(CASE_TIMEOUT, 120000).

%% Arguments: module, "all" or "light", how many cases to skip.
main(Args) ->
    [M, Weight, Skip] = args(Args),
    _ = logger:set_primary_config(level, none),
    Print = fun(Name, Text) ->
                    io:format("== ~s => ~s~n", [Name, Text])
            end,
    Show = fun(R) -> ascii(lists:flatten(io_lib:format("~0p", [R]))) end,
    run(M:cases(), M, Weight, Skip, Print, Show),
    io:format("== done~n"),
    erlang:halt(0).

mini(Args) ->
    [M, Weight, Skip] = args(Args),
    %% Where there is a kernel all the same, keep its reports out of the lines.
    _ = case whereis(logger) of
            undefined -> ok;
            _ -> logger:set_primary_config(level, none)
        end,
    Print = fun(Name, Text) -> erlang:display({diff_case, Name, Text}) end,
    run(M:cases(), M, Weight, Skip, Print, fun(R) -> R end),
    erlang:display({diff_done}),
    erlang:halt(0).

%% Whatever encoding standard output has, the line is the same.
ascii([C | T]) when C > 126 -> io_lib:format("\\x{~.16B}", [C]) ++ ascii(T);
ascii([C | T]) -> [C | ascii(T)];
ascii([]) -> [].

args([M]) -> args([M, "all", "0"]);
args([M, W]) -> args([M, W, "0"]);
args([M, W, S]) -> [to_atom(M), to_atom(W), to_int(S)].

to_atom(A) when is_atom(A) -> A;
to_atom(L) -> list_to_atom(L).

to_int(A) when is_atom(A) -> list_to_integer(atom_to_list(A));
to_int(L) -> list_to_integer(L).

run([], _, _, _, _, _) -> ok;
run([_ | T], M, W, Skip, Print, Show) when Skip > 0 ->
    run(T, M, W, Skip - 1, Print, Show);
run([{Name, heavy, _} | T], M, light, Skip, Print, Show) ->
    Print(Name, skipped),
    run(T, M, light, Skip, Print, Show);
run([{Name, heavy, F} | T], M, W, Skip, Print, Show) ->
    Print(Name, Show(one(F))),
    run(T, M, W, Skip, Print, Show);
run([{Name, F} | T], M, W, Skip, Print, Show) ->
    Print(Name, Show(one(F))),
    run(T, M, W, Skip, Print, Show).

one(F) ->
    {Pid, Ref} = spawn_monitor(fun() -> exit({diff_result, attempt(F)}) end),
    receive
        {'DOWN', Ref, process, Pid, {diff_result, R}} -> R;
        {'DOWN', Ref, process, Pid, Reason} -> {died, norm(Reason)}
    after ?CASE_TIMEOUT ->
            exit(Pid, kill),
            receive {'DOWN', Ref, process, Pid, _} -> timeout end
    end.

attempt(F) ->
    try F() of
        V -> {ok, norm(V)}
    catch
        C:R:S -> {C, norm(R), norm(strip(S))}
    end.

%% The driver's own frames are not part of a case.
strip([{diff_driver, _, _, _} | _]) -> [];
strip([H | T]) -> [H | strip(T)];
strip([]) -> [].

%% Identities that differ from run to run become words, and maps become
%% sorted lists, because the order of a map's atom keys is nobody's promise.
norm(T) when is_pid(T) -> '<pid>';
norm(T) when is_reference(T) -> '<ref>';
norm(T) when is_port(T) -> '<port>';
norm(T) when is_function(T) ->
    case erlang:fun_info(T, type) of
        {type, external} -> T;
        {type, local} ->
            {module, M} = erlang:fun_info(T, module),
            {arity, A} = erlang:fun_info(T, arity),
            {'<fun>', M, A}
    end;
norm(T) when is_tuple(T) -> list_to_tuple(norm_list(tuple_to_list(T)));
norm(T) when is_list(T) -> norm_list(T);
norm(T) when is_map(T) ->
    L = sort([{norm(K), norm(V)} || {K, V} <- maps:to_list(T)]),
    {'<map>', L};
norm(T) -> T.

norm_list([H | T]) -> [norm(H) | norm_list(T)];
norm_list([]) -> [];
norm_list(T) -> norm(T).

sort([P | T]) ->
    sort([X || X <- T, less(X, P)]) ++ [P] ++ sort([X || X <- T, not less(X, P)]);
sort([]) -> [].

%% 1 and 1.0 are different keys that compare equal; integers come first.
less(A, B) when A < B -> true;
less(A, B) when A == B, A =/= B -> {is_integer(element(1, A)), A} > {is_integer(element(1, B)), B};
less(_, _) -> false.

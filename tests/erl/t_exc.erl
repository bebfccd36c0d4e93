%% Exceptions: classes, nesting, stack traces with file and line.
-module(t_exc).
-export([ext/1, raise_in_tail/1, throws/1, exits/1, errors/1]).
-include("diff.hrl").

ext(X) -> X + 1.
ap(M, F, A) -> apply(M, F, A).
fa(F, X) -> id(X), F(X).
throws(X) -> throw(X).
exits(X) -> exit(X).
errors(X) -> error(X).
raise_in_tail(X) -> errors(X).

deep(0, X) -> error(X);
deep(N, X) -> [N | deep(N - 1, X)].

add_up(0) -> id(a) * 2;
add_up(N) -> N + add_up(N - 1).

even_odd(0) -> id(a) * 2;
even_odd(N) -> 1 + odd_even(N - 1).
odd_even(0) -> id(a) * 3;
odd_even(N) -> 2 + even_odd(N - 1).

fc(a) -> 1;
fc({b, X}) when X > 3 -> 2.

cl(X) -> case X of 1 -> one; 2 -> two end.
if_(X) -> if X > 3 -> big; X < 0 -> neg end.
match(X) -> {ok, Y} = X, Y.
try_clause(X) -> try X of a -> 1 catch _:_ -> 2 end.

st(F) ->
    try F() of V -> {value, V} catch C:R:S -> {C, R, trace(S)} end.

full(F) ->
    try F() of V -> {value, V} catch C:R:S -> {C, R, lists:sublist([E || E <- S, element(1, E) =/= diff_driver], 4)} end.

after_(F) ->
    put(log, []),
    R = cr(fun() -> try F() after put(log, [after_ran | get(log)]) end end),
    {R, get(log)}.

nest(X) ->
    try
        try throw(X)
        catch throw:a -> throw(b);
              throw:b -> error(c)
        after put(inner, done)
        end
    catch
        throw:Y -> {outer_throw, Y, get(inner)};
        error:Y -> {outer_error, Y, get(inner)}
    end.

%% The length of the trace of an error in F, called nine functions deep.
trace_length(F) ->
    try deep1(F) catch error:_:S -> length(S) end.

deep1(F) -> {deep2(F)}.
deep2(F) -> {deep3(F)}.
deep3(F) -> {deep4(F)}.
deep4(F) -> {deep5(F)}.
deep5(F) -> {deep6(F)}.
deep6(F) -> {deep7(F)}.
deep7(F) -> {deep8(F)}.
deep8(F) -> {F()}.

shown_args(A) -> try erlang:error(r, A) catch _:_:S -> {_, F, X, _} = hd(S), {F, X} end.

cases() ->
    [{error_arguments_shown, fun() -> [shown_args(id(A)) || A <- [foo, [a | b], {}, [], [x], none, 1]] end},
     {trace_length_bif, fun() -> trace_length(fun() -> {atom_to_list(id(1))} end) end},
     {trace_length_applied, fun() -> trace_length(fun() -> {apply(id(erlang), id(atom_to_list), [id(1)])} end) end},
     {trace_length_bif_fun, fun() -> trace_length(fun() -> {lists:map(fun erlang:atom_to_list/1, [id(1)])} end) end},
     {trace_length_module_variable, fun() -> trace_length(fun() -> M = id(erlang), {M:atom_to_list(id(1))} end) end},
     {throw_catch, fun() -> try throws(x) catch T -> {caught, T} end end},
     {error_catch, fun() -> try errors(x) catch error:T -> {caught, T} end end},
     {exit_catch, fun() -> try exits(x) catch exit:T -> {caught, T} end end},
     {old_catch_throw, fun() -> catch throws(x) end},
     {old_catch_exit, fun() -> catch exits(x) end},
     {old_catch_error, fun() -> {'EXIT', {R, S}} = (catch errors(x)), {R, trace(S)} end},
     {old_catch_value, fun() -> catch id(5) end},
     {old_catch_nested, fun() -> catch [1, catch throws(a), (catch throws(b))] end},
     {old_catch_badmatch, fun() -> {'EXIT', {R, S}} = (catch match(error)), {R, trace(S)} end},
     {badmatch, fun() -> st(fun() -> match(id(no)) end) end},
     {function_clause, fun() -> full(fun() -> fc(id({b, 2})) end) end},
     {function_clause_arg, fun() -> full(fun() -> fc(id("abc")) end) end},
     {case_clause, fun() -> st(fun() -> cl(id(3)) end) end},
     {if_clause, fun() -> st(fun() -> if_(id(1)) end) end},
     {try_clause, fun() -> st(fun() -> try_clause(id(b)) end) end},
     {apply_tail_raises, fun() ->
          [full(fun() -> ap(erlang, F, A) end)
           || {F, A} <- [{error, [x]}, {error, [x, [1]]}, {error, [x, [1], [{error_info, #{}}]]}, {throw, [x]}, {exit, [x]},
                         {atom_to_list, [1]}, {apply, [erlang, error, [1]]}]] end},
     {fun_tail_raises, fun() -> [full(fun() -> fa(F, x) end) || F <- [fun erlang:error/1, fun erlang:throw/1, fun erlang:exit/1]] end},
     {badarith_constants, fun() ->
          [full(F) || F <- [fun() -> 1 + id(a) end, fun() -> id(a) - 1 end, fun() -> id(a) + (-5) end, fun() -> id(a) - (-5) end,
                            fun() -> id(a) + 100000 end, fun() -> 100000 + id(a) end, fun() -> 1 - id(a) end, fun() -> id(a) + 1.0 end,
                            fun() -> id(a) + 16#ffffffffffffffffffff end, fun() -> id(a) + 1152921504606846975 end,
                            fun() -> id(a) - 576460752303423487 end]] end},
     {badarith, fun() -> full(fun() -> ext(id(a)) end) end},
     {undef_function, fun() -> full(fun() -> t_exc:no_such(1, 2) end) end},
     {undef_module, fun() -> full(fun() -> no_such_module_x:f(1) end) end},
     {undef_apply, fun() -> full(fun() -> apply(id(t_exc), id(zip), id([1, 2, 3])) end) end},
     {badfun, fun() -> full(fun() -> (id(notfun))(1) end) end},
     {badfun_not_last, fun() -> full(fun() -> {(id(notfun))(1)} end) end},
     {badarity_not_last, fun() -> full(fun() -> [(id(fun t_exc:ext/1))(1, 2)] end) end},
     {badfun_in_list_function, fun() -> full(fun() -> lists:sort(id(17), [a, b]) end) end},
     {badarity, fun() -> {C, {R, {F, A}}, _} = st(fun() -> (id(fun(X) -> X end))(1, 2) end), {C, R, is_function(F, 1), A} end},
     {badarity_ext, fun() -> full(fun() -> (id(fun t_exc:ext/1))(1, 2) end) end},
     {undef_ext_fun, fun() -> full(fun() -> (id(fun t_exc:nope/1))(1) end) end},
     {bad_record, fun() -> full(fun() -> element(id(3), id({a, b})) end) end},
     {badmap, fun() -> full(fun() -> (id(notmap))#{a => 1} end) end},
     {badkey, fun() -> full(fun() -> (id(#{b => 1}))#{a := 1} end) end},
     {badkey_get, fun() -> full(fun() -> maps:get(id(a), id(#{})) end) end},
     {badarg_hd, fun() -> full(fun() -> hd(id([])) end) end},
     {badarg_bif, fun() -> full(fun() -> atom_to_list(id(1)) end) end},
     {badbool, fun() -> [st(fun() -> id(x) andalso true end), st(fun() -> id(x) and true end), st(fun() -> not id(3) end), st(fun() -> id(x) orelse true end)] end},
     {error_2, fun() -> full(fun() -> error(my, [arg1, arg2]) end) end},
     {error_2_none, fun() -> full(fun() -> error(my, none) end) end},
     {error_3, fun() -> full(fun() -> error(my, [x], [{error_info, #{cause => c, module => m}}]) end) end},
     {error_3_bad, fun() -> full(fun() -> error(my, [x], id([{nope, 1}])) end) end},
     {erlang_raise, fun() -> full(fun() -> erlang:raise(error, r, [{m, f, 1, [{file, "x"}, {line, 3}]}]) end) end},
     {erlang_raise_throw, fun() -> full(fun() -> erlang:raise(throw, r, []) end) end},
     {erlang_raise_bad_class, fun() -> c(fun() -> erlang:raise(id(foo), r, []) end) end},
     {erlang_raise_bad_stack, fun() -> c(fun() -> erlang:raise(error, r, id([foo])) end) end},
     {erlang_raise_args, fun() -> full(fun() -> erlang:raise(error, r, [{m, f, [a, b], []}, {m, g, 2, []}]) end) end},
     {erlang_raise_entries, fun() -> F = fun lists:seq/2, [try erlang:raise(error, r, id(T)) of V -> V catch error:r:S -> {raised, S} end || T <- [[], [{m, f, foo}], [{m, f, 300}], [{m, f, [a | b]}], [{m, f, 1, foo}], [{m, f, 1, [a]}], [{m, f, 1, [a | b]}], [{F, foo}], [{F, []}], [{F, [], []}], [{F, [], [a]}], [{F, [], a}], [{a, []}], [{m, 1, 1}], [{1, f, 1}], [{m, f, 1}, {F, [1]}, {m, g, 1, []}], [{m, f, 1}, x], [{m, f, 1} | x], x, [{m}], [{m, f, 1, [], x}], [{m, f, I} || I <- lists:seq(1, 12)], [{m, f, I, []} || I <- lists:seq(1, 12)], [{m, f, I, []} || I <- lists:seq(1, 8)] ++ [x]]] end},
     {backtrace_depths, fun() -> D = erlang:system_flag(backtrace_depth, 8), R = [begin erlang:system_flag(backtrace_depth, N), {N, [try deep(3, F) catch C:X:S -> {C, X, [{A, B} || {_, A, B, _} <- S]} end || F <- [boo]] ++ [try F() catch C:_:S -> {C, [{A, B} || {_, A, B, _} <- S]} end || F <- [fun() -> throw(a) end, fun() -> exit(a) end, fun() -> id(a) + 1 end, fun() -> atom_to_list(id(1)) end, fun() -> case id(1) of 2 -> ok end end, fun() -> erlang:raise(throw, x, [{m, f, I, []} || I <- [1, 2, 3]]) end]], element(1, process_info(self(), current_stacktrace))} end || N <- [0, 1, 2]], erlang:system_flag(backtrace_depth, D), R end},
     {reraise, fun() -> st(fun() -> try deep(2, boo) catch C:R:S -> erlang:raise(C, R, S) end end) end},
     {recursion_told_once, fun() -> [full(fun() -> add_up(N) end) || N <- [2, 20]] ++ [full(fun() -> even_odd(N) end) || N <- [3, 20]] end},
     {deep_trace, fun() -> st(fun() -> deep(20, boo) end) end},
     {tail_trace, fun() -> st(fun() -> raise_in_tail(boo) end) end},
     {tail_trace_nontail, fun() -> st(fun() -> [raise_in_tail(boo)] end) end},
     {nest_a, fun() -> nest(a) end},
     {nest_b, fun() -> nest(b) end},
     {nest_c, fun() -> nest(c) end},
     {after_value, fun() -> after_(fun() -> 1 end) end},
     {after_throw, fun() -> after_(fun() -> throw(t) end) end},
     {after_error, fun() -> after_(fun() -> error(t) end) end},
     {after_exit, fun() -> after_(fun() -> exit(t) end) end},
     {after_raises, fun() -> cr(fun() -> try throw(a) after throw(b) end end) end},
     {of_raises_not_caught, fun() -> cr(fun() -> try id(1) of 1 -> throw(from_of) catch throw:X -> {inner, X} end end) end},
     {of_clauses, fun() -> [try id(X) of a -> 1; {b, Y} -> Y; _ -> other catch _:_ -> no end || X <- [a, {b, 7}, c]] end},
     {catch_class_var, fun() -> [try F() catch C:R -> {C, R} end || F <- [fun() -> throw(1) end, fun() -> error(2) end, fun() -> exit(3) end]] end},
     {catch_guard, fun() -> [try throw(X) catch Y when Y > 3 -> big; Y when is_atom(Y) -> atom; _ -> other end || X <- [1, 5, a]] end},
     {uncaught_class, fun() -> cr(fun() -> try error(x) catch throw:_ -> no end end) end},
     {catch_in_list, fun() -> [catch ext(id(X)) || X <- [1, 2]] end},
     {stack_is_list, fun() -> try error(x) catch _:_:S -> is_list(S) end end},
     {throw_uncaught_process, fun() -> {P, R} = spawn_monitor(fun() -> throw(lonely) end), receive {'DOWN', R, process, P, {{nocatch, X}, S}} -> {X, trace(S)} end end},
     {error_uncaught_process, fun() -> {P, R} = spawn_monitor(fun() -> errors(lonely) end), receive {'DOWN', R, process, P, {X, S}} -> {X, trace(S)} end end},
     {exit_uncaught_process, fun() -> {P, R} = spawn_monitor(fun() -> exit(lonely) end), receive {'DOWN', R, process, P, X} -> X end end},
     {normal_exit_process, fun() -> {P, R} = spawn_monitor(fun() -> ok end), receive {'DOWN', R, process, P, X} -> X end end},
     {old_catch_nocatch_in_exit, fun() -> catch exit({nocatch, x}) end},
     {error_in_guard_is_false, fun() -> [case id(X) of Y when hd(Y) =:= a -> yes; _ -> no end || X <- [[a], [], b]] end},
     {long_chain_limit, fun() -> try deep(100, x) catch error:x:S -> length(S) end end},
     {backtrace_depth, fun() -> Old = erlang:system_flag(backtrace_depth, 3), N = try deep(100, x) catch error:x:S -> length(S) end, erlang:system_flag(backtrace_depth, Old), {Old, N} end},
     {throw_through_bif, fun() -> cr(fun() -> lists:map(fun(X) -> throw({stop, X}) end, [1, 2]) end) end},
     {error_through_sort, fun() -> cr(fun() -> lists:sort(fun(_, _) -> error(cmp) end, [2, 1]) end) end},
     {catch_many, fun() -> lists:sum([try throw(X) catch Y -> Y end || X <- lists:seq(1, 5000)]) end},
     {try_in_recursion, fun() -> tr(1000) end},
     {catch_then_match, fun() -> case catch error(foo) of {'EXIT', {foo, [_ | _]}} -> ok; O -> O end end},
     {error_bad_args, fun() -> full(fun() -> list_to_atom(id([a | b])) end) end},
     {nested_funs_line, fun() -> st(fun() -> F = fun() -> G = fun() -> error(inner) end, [G()] end, [F()] end) end},
     {list_comp_line, fun() -> st(fun() -> [errors(X) || X <- [1]] end) end},
     {erlang_halt_bad, fun() -> c(fun() -> erlang:halt(id(abc)) end) end},
     {get_stacktrace_arity, fun() -> try t_exc:ext([]) catch error:badarith:S -> [{M, F, A} || {M, F, A, _} <- lists:sublist(S, 2)] end end},
     {format_error_info, fun() -> try atom_to_list(id(1)) catch error:R:S -> lists:flatten(erl_error:format_exception(error, R, S, #{stack_trim_fun => fun(M, _, _) -> M =:= diff_driver end})) end end},
     {format_exception_badarg, fun() -> try binary_part(id(<<1, 2>>), 5, 5) catch error:R:S -> lists:flatten(erl_error:format_exception(error, R, [hd(S)])) end end}].

tr(0) -> 0;
tr(N) ->
    try tr(N - 1) + 1
    catch error:_ -> bad
    end.

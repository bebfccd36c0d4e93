%% processes
%% Wrong calls of BIFs: class, reason, the first entry of the stack trace with its extended information, and what
%% is explained of it. Each function is called with one argument after the other replaced by each wrong value.
-module(t_errors).
-include("diff.hrl").

cases() ->
    [{name(N, MFA), fun() -> sweep(MFA) end} || {N, MFA} <- lists:enumerate(calls())]
        ++ [{applied_apply, fun() -> [shown(cr_trace(erlang, apply, [id(F), id(A)])) || {F, A} <- [{foo, []}, {fun id/1, []}, {fun id/1, [1, 2]}, {{a, b}, [x]}]] end},
            {spawned_apply, fun() -> [why(spawn_monitor(erlang, apply, [id(F), id(A)])) || {F, A} <- [{foo, []}, {fun id/1, []}]] end},
            {nif_error, fun() -> [shown(cr_trace(erlang, nif_error, A)) || A <- [[foo], [foo, [a]]]] end},
            {nodes2, fun() -> [cr(fun() -> nodes(id(A), id(O)) end) || A <- [this, [this, visible], connected, []], O <- [#{}, #{connection_id => true}, #{node_type => true, connection_id => false}]] end},
            {leader_of_the_dying, fun() -> P = spawn(fun() -> receive after infinity -> ok end end), exit(P, bang), cr(fun() -> group_leader(whereis(init), P) end) end}].

name(N, {M, F, A}) -> list_to_atom(lists:concat([N, "_", M, ":", F, "/", length(A)])).

why({P, M}) -> receive {'DOWN', M, process, P, {R, S}} -> {R, S} end.

wrong() -> [foo, -1, 1 bsl 70, 1.5, [a | b], {}, #{}, <<1:3>>, "x", '$dead'].

sweep({M, F, As}) ->
    [[{I, V, shown(cr_trace(M, F, [real(A) || A <- put_at(I, V, As)]))} || V <- wrong()]
     || I <- lists:seq(1, length(As))].

put_at(I, V, L) -> {A, [_ | B]} = lists:split(I - 1, L), A ++ [V | B].

real('$self') -> self();
real('$dead') -> list_to_pid("<0.30000.77>");
real('$ref') -> make_ref();
real('$fun') -> fun id/1;
real('$tab') -> T = ets:new(t, [public]), ets:insert(T, [{a, 1}, {b, 2, x}]), T;
real('$bag') -> T = ets:new(t, [bag]), ets:insert(T, [{a, 1}, {a, 2}]), T;
real('$foreign') -> T = ets:new(t, []), ets:give_away(T, whereis(init), x), T;
real('$port') -> open_port({spawn, "cat"}, []);
real('$atomics') -> atomics:new(3, []);
real('$counters') -> counters:new(3, [write_concurrency]);
real('$timer') -> erlang:start_timer(100000, self(), x);
real([H | T]) -> [real(H) | real(T)];
real(T) -> T.

%% What a call raises; that it is one that does not fail is all that counts of another.
cr_trace(M, F, A) ->
    try apply(M, F, A) of
        _ -> ok
    catch
        C:R:S -> {C, R, S}
    end.

shown({C, R, [{M, F, A, Info} | _] = S}) ->
    Place = case M of ?MODULE -> here; _ -> {M, F, A} end,
    {C, R, Place, cause(Info), explained(R, S)};
shown(X) -> X.

cause(Info) ->
    case lists:keyfind(error_info, 1, Info) of
        {_, #{} = I} -> I;
        false -> none
    end.

explained(R, [{_, _, _, Info} | _] = S) ->
    case lists:keyfind(error_info, 1, Info) of
        {_, #{module := X}} -> try lists:sort(maps:to_list(X:format_error(R, S))) catch C:E -> {C, E} end;
        _ -> none
    end.

calls() ->
    [{erlang, monitor, [process, '$self']}, {erlang, monitor, [time_offset, clock_service]},
     {erlang, monitor, [process, '$self', [{alias, demonitor}]]}, {erlang, demonitor, ['$ref', [flush]]},
     {erlang, alias, [[reply]]}, {erlang, unalias, ['$ref']}, {erlang, link, ['$self']}, {erlang, unlink, ['$self']},
     {erlang, exit, ['$dead', foo]}, {erlang, exit_signal, ['$dead', foo]},
     {erlang, register, [undefined, '$self']}, {erlang, register, [init, '$self']}, {erlang, register, [some_name, '$dead']},
     {erlang, unregister, [no_such_name]}, {erlang, whereis, [init]},
     {erlang, send, ['$self', foo, [noconnect]]}, {erlang, send_after, [1000, '$self', x]},
     {erlang, start_timer, [1000, '$self', x, [{abs, false}]]}, {erlang, cancel_timer, ['$timer', [{async, false}]]},
     {erlang, read_timer, ['$timer', []]}, {erlang, process_flag, [trap_exit, false]},
     {erlang, process_flag, [save_calls, 0]}, {erlang, process_flag, [priority, normal]}, {erlang, process_flag, [max_heap_size, 0]},
     {erlang, process_flag, ['$self', save_calls, 0]}, {erlang, process_info, ['$self', links]},
     {erlang, process_info, ['$self', [links, trap_exit]]}, {erlang, port_info, ['$port', name]},
     {erlang, port_command, ['$port', [], []]}, {erlang, port_connect, ['$port', '$self']}, {erlang, port_close, ['$port']},
     {erlang, port_control, ['$port', 1, []]}, {erlang, port_set_data, ['$port', x]}, {erlang, port_get_data, ['$port']},
     {erlang, spawn_opt, [lists, reverse, [[]], [{priority, normal}]]}, {erlang, spawn_request, [lists, reverse, [[]], []]},
     {erlang, spawn, [lists, reverse, [[]]]}, {erlang, suspend_process, ['$self']}, {erlang, suspend_process, ['$self', []]},
     {erlang, resume_process, ['$self']}, {erlang, is_process_alive, ['$self']}, {erlang, check_process_code, ['$self', foo]},
     {erlang, group_leader, ['$self', '$self']}, {erlang, make_fun, [lists, map, 2]},
     {erlang, function_exported, [lists, map, 2]}, {erlang, binary_to_term, [<<131, 97, 1>>, [safe]]},
     {erlang, term_to_binary, [foo, [compressed]]}, {erlang, binary_to_atom, [<<"foo">>, utf8]},
     {erlang, atom_to_binary, [foo, latin1]}, {erlang, list_to_existing_atom, ["foo"]}, {erlang, binary_to_integer, [<<"12">>, 10]},
     {erlang, list_to_integer, ["12", 10]}, {erlang, list_to_float, ["1.5"]}, {erlang, integer_to_list, [12, 16]},
     {erlang, float_to_list, [1.5, [{decimals, 3}]]}, {erlang, binary_to_list, [<<"abc">>, 1, 2]},
     {erlang, binary_part, [<<"abc">>, 1, 2]}, {erlang, split_binary, [<<"abc">>, 1]}, {erlang, list_to_binary, [[1]]},
     {erlang, iolist_size, [[1]]}, {erlang, element, [1, {a}]}, {erlang, setelement, [1, {a}, b]},
     {erlang, insert_element, [1, {a}, b]}, {erlang, delete_element, [1, {a}]}, {erlang, make_tuple, [2, a, [{1, x}]]},
     {erlang, decode_packet, [raw, <<"x">>, []]}, {erlang, phash2, [foo, 10]}, {erlang, crc32, [1, <<"a">>]},
     {erlang, localtime_to_universaltime, [{{2000, 1, 1}, {0, 0, 0}}, false]}, {erlang, convert_time_unit, [1, second, native]},
     {erlang, monotonic_time, [second]}, {erlang, unique_integer, [[positive]]}, {erlang, fun_info, ['$fun', arity]},
     {erlang, is_record, [{a}, a, 1]}, {erlang, map_get, [a, #{a => 1}]}, {erlang, raise, [error, foo, []]},
     {erlang, nodes, [this]}, {erlang, nodes, [this, #{}]}, {erlang, statistics, [runtime]}, {erlang, bump_reductions, [1]},
     {erlang, list_to_pid, ["<0.1.0>"]}, {erlang, list_to_ref, ["#Ref<0.1.2.3>"]}, {erlang, match_spec_test, [{a}, [{'$1', [], ['$1']}], table]},
     {erlang, 'bsl', [1, 1]}, {erlang, 'div', [1, 1]}, {erlang, '++', [[], []]}, {erlang, 'and', [true, true]},
     {erts_internal, is_process_alive, ['$self', '$ref']},
     {ets, new, [foo, []]}, {ets, insert, ['$tab', {a, 1}]}, {ets, insert, ['$foreign', {a, 1}]}, {ets, lookup, ['$tab', a]},
     {ets, lookup_element, ['$tab', a, 2]}, {ets, lookup_element, ['$tab', none, 2, x]}, {ets, delete, ['$foreign']},
     {ets, update_element, ['$tab', a, {2, x}]}, {ets, update_element, ['$bag', a, {2, x}]}, {ets, update_counter, ['$tab', a, 1]},
     {ets, update_counter, ['$tab', a, {2, 1}]}, {ets, next, ['$tab', a]}, {ets, slot, ['$tab', 0]}, {ets, rename, ['$tab', foo]},
     {ets, give_away, ['$tab', '$dead', x]}, {ets, setopts, ['$tab', {heir, none}]}, {ets, safe_fixtable, ['$tab', true]},
     {ets, info, ['$tab', size]}, {ets, match, ['$tab', '_', 1]}, {ets, select, ['$tab', [{'$1', [], ['$1']}]]},
     {ets, select, ['$tab', [{'$1', [], ['$1']}], 1]}, {ets, select_count, ['$tab', [{'$1', [], [true]}]]},
     {ets, select_replace, ['$tab', [{'$1', [], ['$1']}]]}, {ets, take, ['$tab', a]},
     {binary, at, [<<"abc">>, 1]}, {binary, compile_pattern, [<<"a">>]}, {binary, copy, [<<"a">>, 2]},
     {binary, decode_unsigned, [<<1>>, big]}, {binary, encode_unsigned, [1, big]}, {binary, first, [<<"a">>]},
     {binary, longest_common_prefix, [[<<"a">>, <<"b">>]]}, {binary, match, [<<"abc">>, <<"b">>, []]},
     {binary, matches, [<<"abc">>, <<"b">>, []]}, {binary, part, [<<"abc">>, 1, 1]}, {binary, split, [<<"abc">>, <<"b">>, []]},
     {binary, replace, [<<"abc">>, <<"b">>, <<"x">>, []]},
     {maps, get, [a, #{a => 1}]}, {maps, find, [a, #{}]}, {maps, from_keys, [[a], 1]}, {maps, from_list, [[]]},
     {maps, merge, [#{}, #{}]}, {maps, put, [a, 1, #{}]}, {maps, take, [a, #{}]}, {maps, update, [a, 1, #{a => 2}]},
     {maps, next, [none]}, {maps, keys, [#{}]},
     {lists, keyfind, [a, 1, [{a}]]}, {lists, member, [a, [b]]}, {lists, reverse, [[a], []]},
     {unicode, characters_to_binary, ["abc", unicode, utf8]}, {unicode, characters_to_list, ["abc", unicode]},
     {re, compile, ["a", []]}, {re, run, ["abc", "b", []]}, {persistent_term, get, [no_such_key]},
     {atomics, new, [1, []]}, {atomics, put, ['$atomics', 1, 1]}, {atomics, compare_exchange, ['$atomics', 1, 1, 1]},
     {counters, new, [1, []]}, {counters, add, ['$counters', 1, 1]}, {os, getenv, ["PATHX"]}, {os, putenv, ["T_ERRORS", "y"]},
     {os, unsetenv, ["T_ERRORS"]}, {os, set_signal, [sigusr1, default]}, {os, system_time, [second]},
     {math, sqrt, [1]}, {math, fmod, [1, 1]}, {math, pow, [1, 1]}].

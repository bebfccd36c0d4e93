%% terms: hashes, external format, copies, type tests, references, counters, tables, time.
-module(s_terms).
-export([cases/0]).

cases() ->
    Term = small:id({abc, [1, 2.5, "string", <<"binary">>], #{key => value}}),
    Enc = small:id(term_to_binary(Term)),
    L1000 = small:id(lists:seq(1, 1000)),
    Enc1000 = small:id(term_to_binary(L1000)),
    persistent_term:put(s_terms, Term),
    Atomics = atomics:new(4, []),
    Counters = counters:new(4, [write_concurrency]),
    [{phash2, fun(N) -> erlang:phash2({N, abc, "xyz"}) end},
     {phash2_binary, fun(_) -> erlang:phash2(<<"a binary of some length">>) end},
     {term_to_binary, fun(_) -> term_to_binary(Term) end},
     {binary_to_term, fun(_) -> binary_to_term(Enc) end},
     {term_to_binary_1000, fun(_) -> term_to_binary(L1000) end},
     {binary_to_term_1000, fun(_) -> binary_to_term(Enc1000) end},
     {external_size, fun(_) -> erlang:external_size(Term) end},
     {flat_size, fun(_) -> erts_debug:flat_size(Term) end},
     {persistent_term_get, fun(_) -> persistent_term:get(s_terms) end},
     {make_ref, fun(_) -> make_ref() end},
     {unique_integer, fun(_) -> erlang:unique_integer() end},
     {unique_integer_monotonic, fun(_) -> erlang:unique_integer([monotonic]) end},
     {monotonic_time, fun(_) -> erlang:monotonic_time() end},
     {system_time, fun(_) -> erlang:system_time(millisecond) end},
     {timestamp, fun(_) -> os:timestamp() end},
     {atomics_add_get, fun(_) -> atomics:add_get(Atomics, 1, 1) end},
     {atomics_get, fun(_) -> atomics:get(Atomics, 1) end},
     {counters_add, fun(_) -> counters:add(Counters, 1, 1) end},
     {counters_get, fun(_) -> counters:get(Counters, 1) end},
     {type_tests, fun(N) -> kind(N) end},
     {self_node, fun(_) -> {self(), node()} end},
     {pid_to_list, fun(_) -> pid_to_list(self()) end},
     {process_info, fun(_) -> process_info(self(), message_queue_len) end},
     {function_exported, fun(_) -> erlang:function_exported(lists, map, 2) end},
     {system_info, fun(_) -> erlang:system_info(schedulers) end},
     {erl_eval, fun(_) -> erl_eval:exprs([{op, 1, '+', {integer, 1, 1}, {integer, 1, 2}}], []) end}].

kind(X) when is_list(X) -> list;
kind(X) when is_tuple(X) -> tuple;
kind(X) when is_binary(X) -> binary;
kind(X) when is_map(X) -> map;
kind(X) when is_float(X) -> float;
kind(X) when is_integer(X) -> integer.

%% persistent_term, atomics and counters.
-module(t_shared).
-include("diff.hrl").

cases() ->
    [{pt_put_get, fun() -> [persistent_term:put({?MODULE, a}, [1, {2}]), persistent_term:get({?MODULE, a}), persistent_term:get({?MODULE, zz}, dflt), cr(fun() -> persistent_term:get({?MODULE, zz}) end)] end},
     {pt_replace, fun() -> K = {?MODULE, b}, persistent_term:put(K, lists:seq(1, 100)), Old = persistent_term:get(K), persistent_term:put(K, new), {length(Old), lists:sum(Old), persistent_term:get(K)} end},
     {pt_erase, fun() -> K = {?MODULE, c}, persistent_term:put(K, v), [persistent_term:erase(K), persistent_term:erase(K), persistent_term:get(K, none)] end},
     {pt_other_process_keeps, fun() -> K = {?MODULE, d}, persistent_term:put(K, lists:seq(1, 1000)), S = self(), P = spawn(fun() -> X = persistent_term:get(K), S ! got, receive go -> S ! {sum, lists:sum(X)} end end), receive got -> ok end, persistent_term:erase(K), P ! go, receive {sum, N} -> N end end},
     {pt_error, fun() -> c(fun() -> persistent_term:get(id({?MODULE, nokey})) end) end},
     {pt_info, fun() -> persistent_term:put({?MODULE, e}, 1), #{count := C, memory := M} = persistent_term:info(), {C > 0, M > 0} end},
     {pt_get_all, fun() -> persistent_term:put({?MODULE, f}, 77), lists:member({{?MODULE, f}, 77}, persistent_term:get()) end},
     {pt_types, fun() -> [begin persistent_term:put({?MODULE, g}, T), persistent_term:get({?MODULE, g}) =:= T end || T <- [1, 1 bsl 80, 1.5, a, <<"b">>, binary:copy(<<"x">>, 500), #{a => 1}, maps:from_list([{I, I} || I <- lists:seq(1, 50)]), fun lists:map/2]] end},
     {pt_many, fun() -> [persistent_term:put({?MODULE, n, I}, I) || I <- lists:seq(1, 300)], S = lists:sum([persistent_term:get({?MODULE, n, I}) || I <- lists:seq(1, 300)]), [persistent_term:erase({?MODULE, n, I}) || I <- lists:seq(1, 300)], S end},
     {pt_put_new, fun() -> case erlang:system_info(otp_release) < "28" of true -> old; _ -> K = {?MODULE, h}, [persistent_term:put_new(K, 1), persistent_term:put_new(K, 1), cr(fun() -> persistent_term:put_new(K, 2) end)] end end},
     {atomics_basic, fun() -> A = atomics:new(3, []), [atomics:put(A, 1, 5), atomics:add(A, 1, 3), atomics:get(A, 1), atomics:sub(A, 1, 10), atomics:get(A, 1), atomics:get(A, 3)] end},
     {atomics_ops, fun() -> A = atomics:new(1, []), [atomics:add_get(A, 1, 7), atomics:sub_get(A, 1, 2), atomics:exchange(A, 1, 100), atomics:compare_exchange(A, 1, 100, 1), atomics:compare_exchange(A, 1, 100, 2), atomics:get(A, 1)] end},
     {atomics_wrap, fun() -> A = atomics:new(1, []), atomics:put(A, 1, (1 bsl 63) - 1), X = atomics:add_get(A, 1, 1), B = atomics:new(1, [{signed, false}]), Y = atomics:sub_get(B, 1, 1), [X, Y, atomics:add_get(B, 1, 1)] end},
     {atomics_info, fun() -> #{size := S, max := M, min := N} = atomics:info(atomics:new(4, [])), #{max := UM, min := UN} = atomics:info(atomics:new(1, [{signed, false}])), {S, M, N, UM, UN} end},
     {atomics_bad, fun() -> A = atomics:new(2, []), [ca(fun() -> atomics:get(A, 0) end), ca(fun() -> atomics:get(A, 3) end), ca(fun() -> atomics:put(A, 1, x) end), ca(fun() -> atomics:new(id(0), []) end), ca(fun() -> atomics:new(1, [foo]) end), ca(fun() -> atomics:get(id(x), 1) end), ca(fun() -> atomics:put(A, 1, 1 bsl 64) end), ca(fun() -> atomics:put(atomics:new(1, [{signed, false}]), 1, -1) end)] end},
     {atomics_shared, fun() -> A = atomics:new(1, []), S = self(), [spawn(fun() -> [atomics:add(A, 1, 1) || _ <- lists:seq(1, 2000)], S ! done end) || _ <- lists:seq(1, 4)], [receive done -> ok end || _ <- lists:seq(1, 4)], atomics:get(A, 1) end},
     {counters_basic, fun() -> C = counters:new(2, []), [counters:add(C, 1, 5), counters:sub(C, 1, 2), counters:get(C, 1), counters:put(C, 2, 9), counters:get(C, 2)] end},
     {counters_wc, fun() -> C = counters:new(2, [write_concurrency]), S = self(), [spawn(fun() -> [counters:add(C, 2, 1) || _ <- lists:seq(1, 1000)], S ! done end) || _ <- lists:seq(1, 4)], [receive done -> ok end || _ <- lists:seq(1, 4)], counters:get(C, 2) end},
     {counters_info, fun() -> maps:get(size, counters:info(counters:new(7, []))) end},
     {counters_bad, fun() -> C = counters:new(2, []), [ca(fun() -> counters:get(C, 3) end), ca(fun() -> counters:add(C, 1, x) end), ca(fun() -> counters:new(id(0), []) end), ca(fun() -> counters:new(1, [foo]) end)] end},
     {ref_in_term, fun() -> A = atomics:new(1, []), T = {x, [A]}, S = self(), spawn(fun() -> {x, [B]} = T, atomics:put(B, 1, 42), S ! ok end), receive ok -> atomics:get(A, 1) end end}].

ca(F) -> case c(F) of {error, R, {M, N, A, I}} when is_list(A) -> {R, M, N, length(A), I}; X -> X end.

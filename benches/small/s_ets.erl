%% ets: one process and its tables.
-module(s_ets).
-export([cases/0]).

cases() ->
    [{Name, in(Type, F)}
     || Type <- [set, ordered_set],
        {Op, F} <- operations(),
        Name <- [list_to_atom(lists:concat([Type, "_", Op]))]] ++
        [{new_delete, fun(_) -> ets:delete(ets:new(t, [])) end},
         {named_lookup, named()}].

%% The table is made by the process that measures, at its first call.
in(Type, F) ->
    fun(N) ->
            case get(Type) of
                undefined ->
                    T = ets:new(t, [Type]),
                    ets:insert(T, [{I, I, <<"value">>} || I <- lists:seq(1, 1000)]),
                    put(Type, T),
                    F(T, N);
                T ->
                    F(T, N)
            end
    end.

named() ->
    fun(N) ->
            ets:info(s_ets, size) =:= undefined andalso
                begin
                    ets:new(s_ets, [named_table]),
                    ets:insert(s_ets, {key, 1})
                end,
            ets:lookup_element(s_ets, key, 2) + N
    end.

operations() ->
    [{insert, fun(T, N) -> ets:insert(T, {N band 511 + 1, N, <<"value">>}) end},
     {insert_delete, fun(T, N) -> ets:insert(T, {N + 2000, N}), ets:delete(T, N + 2000) end},
     {insert_new, fun(T, N) -> ets:insert_new(T, {N band 511 + 1, N}) end},
     {lookup, fun(T, N) -> ets:lookup(T, N band 511 + 1) end},
     {lookup_element, fun(T, N) -> ets:lookup_element(T, N band 511 + 1, 2) end},
     {member, fun(T, N) -> ets:member(T, N band 511 + 1) end},
     {update_counter, fun(T, N) -> ets:update_counter(T, N band 511 + 1, 1) end},
     {update_element, fun(T, N) -> ets:update_element(T, N band 511 + 1, {2, N}) end},
     {match_key, fun(T, N) -> ets:match(T, {N band 511 + 1, '$1', '_'}) end},
     {select_key, fun(T, N) -> ets:select(T, [{{N band 511 + 1, '$1', '_'}, [], ['$1']}]) end},
     {select_some, fun(T, _) -> ets:select(T, [{{'$1', '$2', '_'}, [{'>', '$1', 990}], ['$2']}]) end},
     {first_next, fun(T, _) -> ets:next(T, ets:first(T)) end},
     {foldl, fun(T, _) -> ets:foldl(fun({K, _, _}, A) -> K + A; (_, A) -> A end, 0, T) end},
     {tab2list, fun(T, _) -> ets:tab2list(T) end},
     {take, fun(T, N) -> ets:insert(T, ets:take(T, N band 511 + 1)) end},
     {info_size, fun(T, _) -> ets:info(T, size) end}].

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Governable} from "./base/Governable.sol";

interface IModule {
    function owner() external view returns (address);
    function pause() external;
    function unpause() external;
    function setPauser(address pauser) external;
}

/// Owns the eight modules and stops or starts them together. It is not pausable itself and holds no funds.
contract SystemPause is Governable {
    uint256 private constant COUNT = 8;

    address[COUNT] private _modules;
    address public activePauser;

    event ModulesUpdated(
        address jobRegistry,
        address stakeManager,
        address validationModule,
        address disputeModule,
        address platformRegistry,
        address feePool,
        address reputationEngine,
        address arbitratorCommittee
    );
    event PausersUpdated(address indexed pauser);
    event GovernanceCallExecuted(address indexed target, bytes4 indexed selector, bytes data);

    error InvalidModule(address module);
    error InvalidPauser(address pauser);
    error ModuleNotOwned(address module, address owner);
    error UnknownGovernanceTarget(address target);
    error MissingSelector();

    constructor(address initialGovernance) Governable(initialGovernance) {
        activePauser = address(this);
    }

    function jobRegistry() external view returns (address) {
        return _modules[0];
    }

    function stakeManager() external view returns (address) {
        return _modules[1];
    }

    function validationModule() external view returns (address) {
        return _modules[2];
    }

    function disputeModule() external view returns (address) {
        return _modules[3];
    }

    function platformRegistry() external view returns (address) {
        return _modules[4];
    }

    function feePool() external view returns (address) {
        return _modules[5];
    }

    function reputationEngine() external view returns (address) {
        return _modules[6];
    }

    function arbitratorCommittee() external view returns (address) {
        return _modules[7];
    }

    /// Every module must already be owned by this contract.
    function setModules(
        address jobRegistry_,
        address stakeManager_,
        address validationModule_,
        address disputeModule_,
        address platformRegistry_,
        address feePool_,
        address reputationEngine_,
        address arbitratorCommittee_
    ) external onlyGovernance {
        _modules = [
            jobRegistry_,
            stakeManager_,
            validationModule_,
            disputeModule_,
            platformRegistry_,
            feePool_,
            reputationEngine_,
            arbitratorCommittee_
        ];
        for (uint256 i = 0; i < COUNT; i++) {
            address module = _modules[i];
            if (module.code.length == 0) revert InvalidModule(module);
            address moduleOwner = IModule(module).owner();
            if (moduleOwner != address(this)) revert ModuleNotOwned(module, moduleOwner);
        }
        emit ModulesUpdated(
            jobRegistry_,
            stakeManager_,
            validationModule_,
            disputeModule_,
            platformRegistry_,
            feePool_,
            reputationEngine_,
            arbitratorCommittee_
        );
    }

    function refreshPausers() external onlyGovernance {
        _setPausers(activePauser);
    }

    function setGlobalPauser(address pauser) external onlyGovernance {
        if (pauser == address(0)) revert InvalidPauser(pauser);
        activePauser = pauser;
        _setPausers(pauser);
    }

    /// All or nothing: one module that is paused already makes the whole call revert with EnforcedPause.
    function pauseAll() external onlyGovernance {
        for (uint256 i = 0; i < COUNT; i++) IModule(_modules[i]).pause();
    }

    function unpauseAll() external onlyGovernance {
        for (uint256 i = 0; i < COUNT; i++) IModule(_modules[i]).unpause();
    }

    /// The only way to tune a module: governance speaks through its owner, this contract.
    function executeGovernanceCall(address target, bytes calldata data)
        external
        onlyGovernance
        returns (bytes memory result)
    {
        if (!_isModule(target)) revert UnknownGovernanceTarget(target);
        if (data.length < 4) revert MissingSelector();
        bool ok;
        (ok, result) = target.call(data);
        if (!ok) {
            assembly {
                revert(add(result, 32), mload(result))
            }
        }
        emit GovernanceCallExecuted(target, bytes4(data[:4]), data);
    }

    function _setPausers(address pauser) private {
        for (uint256 i = 0; i < COUNT; i++) IModule(_modules[i]).setPauser(pauser);
        emit PausersUpdated(pauser);
    }

    function _isModule(address target) private view returns (bool) {
        for (uint256 i = 0; i < COUNT; i++) if (_modules[i] == target) return true;
        return false;
    }
}
